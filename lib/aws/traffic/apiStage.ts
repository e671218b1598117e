/**
 * An API Gateway stage. With a `variable` all traffic is switched at once by its value (green is 100 or 0);
 * without one the stage's canary settings hold a weight, and the canary is green.
 */
import { type APIGatewayClient, GetStageCommand, UpdateStageCommand } from '@aws-sdk/client-api-gateway';
import type { ApiStageTarget, Slot } from '../../../events/target.ts';
import { TargetMissing, TrafficUnconfirmed } from '../../core/outage.ts';
import type { TrafficReading } from '../../ports.ts';
import { answered } from '../answered.ts';

/** The stage variable that says which slot is stable, where no other does. */
export const stableVariable = 'switchbackStable';

export const stageOf = (client: APIGatewayClient, { restApiId, stage }: ApiStageTarget) =>
  answered(`stage ${restApiId}/${stage}`, client.send(new GetStageCommand({ restApiId, stageName: stage })));

export function apiStageTraffic(client: APIGatewayClient) {
  const patch = ({ restApiId, stage }: ApiStageTarget, path: string, value: string) =>
    answered(
      `updating ${restApiId}/${stage}`,
      client.send(
        new UpdateStageCommand({
          restApiId,
          stageName: stage,
          patchOperations: [{ op: 'replace', path, value }],
        }),
      ),
    );

  const read = async (target: ApiStageTarget): Promise<TrafficReading> => {
    const stage = await stageOf(client, target);
    if (target.variable === undefined) {
      return { kind: 'weights', greenWeight: stage.canarySettings?.percentTraffic ?? 0 };
    }
    const { name, values } = target.variable;
    const value = stage.variables?.[name];
    if (value === values.green) return { kind: 'weights', greenWeight: 100 };
    if (value === values.blue) return { kind: 'weights', greenWeight: 0 };
    return {
      kind: 'unknown',
      what: `stage variable ${name} is ${value ?? 'not set'}, which is neither slot's`,
    };
  };

  return {
    read,

    async shift(target: ApiStageTarget, slot: Slot, weight: number): Promise<void> {
      const greenWeight = slot === 'green' ? weight : 100 - weight;
      if (target.variable === undefined) {
        await patch(target, '/canarySettings/percentTraffic', String(greenWeight));
      } else {
        if (greenWeight !== 0 && greenWeight !== 100) {
          throw new TargetMissing(
            `stage variable ${target.variable.name} switches all at once: it cannot hold ${weight} %, use all-at-once`,
          );
        }
        const { name, values } = target.variable;
        await patch(target, `/variables/${name}`, greenWeight === 100 ? values.green : values.blue);
      }
      const reading = await read(target);
      if (reading.kind !== 'weights' || reading.greenWeight !== greenWeight) {
        throw new TrafficUnconfirmed(
          `${target.restApiId}/${target.stage}: ordered green at ${greenWeight} %, a read shows another`,
        );
      }
    },

    async markStable(target: ApiStageTarget, slot: Slot): Promise<void> {
      await patch(target, `/variables/${stableVariable}`, slot);
    },

    async stableMark(target: ApiStageTarget): Promise<Slot | null> {
      const value = (await stageOf(client, target)).variables?.[stableVariable];
      return value === 'blue' || value === 'green' ? value : null;
    },
  };
}
