/**
 * What a person types when not even the fire exit can be run: one `aws` command per service, dependents
 * first.
 */
import { otherSlot, type Slot, type Target } from '../../../events/target.ts';
import { type FallBackRequest, type FallBackService, placeOf, whoFallsBack } from './place.ts';

/** Lines for a terminal; a line that begins with `#` says what only the person can know. */
export function byHand(services: readonly FallBackService[], request: FallBackRequest): readonly string[] {
  const who = whoFallsBack(services, request);
  if ('outcome' in who) return [`# ${who.sentence}`];
  return who.flatMap((settings) => {
    const place = placeOf(settings, request, null);
    if (!('outcome' in place)) return [`# ${settings.service}`, commandFor(place.target, place.slot)];
    const target = settings.fallback.target ?? settings.target;
    return [
      `# ${settings.service}: one of these two is the old world; the tag switchback:stable-slot says which`,
      ...(['blue', 'green'] as const).map((slot) => `${commandFor(target, slot)}  # ${slot}`),
    ];
  });
}

function commandFor(target: Target, slot: Slot): string {
  switch (target.kind) {
    case 'ecs-alb':
    case 'alb': {
      const weighted = ([each, Weight]: readonly [Slot, number]) => ({
        TargetGroupArn: target.targetGroups[each],
        Weight,
      });
      const TargetGroups = (
        [
          [slot, 100],
          [otherSlot(slot), 0],
        ] as const
      ).map(weighted);
      const actions = JSON.stringify([{ Type: 'forward', ForwardConfig: { TargetGroups } }]);
      return target.ruleArn.includes(':listener/')
        ? `aws elbv2 modify-listener --listener-arn ${target.ruleArn} --default-actions '${actions}'`
        : `aws elbv2 modify-rule --rule-arn ${target.ruleArn} --actions '${actions}'`;
    }
    case 'api-stage': {
      const { restApiId, stage, variable } = target;
      const [path, value] =
        variable === undefined
          ? ['/canarySettings/percentTraffic', slot === 'green' ? '100' : '0']
          : [`/variables/${variable.name}`, variable.values[slot]];
      return (
        `aws apigateway update-stage --rest-api-id ${restApiId} --stage-name ${stage} ` +
        `--patch-operations op=replace,path=${path},value=${value}`
      );
    }
    case 'dns':
      return (
        `# Route 53, zone ${target.hostedZoneId}, ${target.name} (${target.recordType}): record ` +
        `"${target.setIdentifiers[slot]}" to weight 100, "${target.setIdentifiers[otherSlot(slot)]}" to 0; ` +
        `users follow within ${target.ttlSeconds} s`
      );
    case 'lambda-alias':
      return (
        `aws lambda update-alias --function-name ${target.functionName} --name ${target.alias} ` +
        `--routing-config 'AdditionalVersionWeights={}'`
      );
  }
}
