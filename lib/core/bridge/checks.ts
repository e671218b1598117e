/** What must hold between the options of one configuration, beyond the form of each. */
import type { BridgeConfig, ConfigFault, RuleConfig, SourceConfig } from './config.ts';
import { isFifo } from './fifo.ts';
import { covers, overlaps, patternFault, tokensOf } from './subject.ts';

type Path = readonly (string | number)[];

export function checkRelations(config: BridgeConfig): readonly ConfigFault[] {
  if (config.rules.length === 0 && config.reverse.length === 0) {
    return [{ path: [], message: 'neither rules nor reverse rules: there is nothing to carry' }];
  }
  return [
    ...checkSources(config),
    ...config.rules.flatMap((rule, index) => checkRule(rule, index, config)),
    ...checkDeadLetters(config),
    ...checkLoops(config),
    ...checkNames(config),
  ];
}

/** The subjects a source can deliver, as patterns. */
export function patternsOf(source: SourceConfig): readonly string[] {
  if ('core' in source) return [source.core];
  if (source.filter !== undefined) return [source.filter];
  if (source.filters !== undefined) return source.filters;
  return source.create?.subjects ?? ['>'];
}

function checkSources(config: BridgeConfig): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  const consumers = new Set<string>();
  for (const [index, source] of config.sources.entries()) {
    const path = ['sources', index];
    for (const pattern of patternsOf(source)) {
      const fault = patternFault(pattern);
      if (fault !== null) faults.push({ path, message: `'${pattern}' ${fault}` });
      if (/^(_INBOX|\$JS\.(API|ACK))(\.|$)/.test(pattern)) {
        faults.push({
          path,
          message: `'${pattern}' carries other clients' requests: a bridge must not read them`,
        });
      }
    }
    if ('core' in source) continue;
    if (source.filter !== undefined && source.filters !== undefined) {
      faults.push({ path: [...path, 'filters'], message: "'filter' and 'filters' exclude each other" });
    }
    if (source.ack === 'watermark' && source.owner !== 'single') {
      const message = "'ack: watermark' needs 'owner: single': it acknowledges everything up to a point";
      faults.push({ path: [...path, 'ack'], message });
    }
    const consumer = `${source.stream}/${source.durable}`;
    if (consumers.has(consumer)) faults.push({ path, message: `the consumer ${consumer} is listed twice` });
    consumers.add(consumer);
  }
  if (config.rules.length > 0 && config.sources.length === 0) {
    faults.push({ path: ['sources'], message: 'there are rules but no source' });
  }
  return faults;
}

function checkRule(rule: RuleConfig, index: number, config: BridgeConfig): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  const path: Path = ['rules', index];
  const tokens = tokensOf(rule.match);
  if (/^(_INBOX|\$JS\.(API|ACK))(\.|$)/.test(rule.match)) {
    faults.push({
      path: [...path, 'match'],
      message: "other clients' requests and replies are never carried",
    });
  }
  const shadow = config.rules.findIndex(
    (other, i) => i < index && other.where === undefined && covers(tokensOf(other.match), tokens),
  );
  if (config.match === 'first' && shadow >= 0) {
    const by = `rule ${shadow + 1} ('${(config.rules[shadow] as RuleConfig).match}')`;
    faults.push({
      path: [...path, 'match'],
      message: `never reached: ${by} takes all of its subjects first`,
    });
  }
  const feeding = config.sources.filter((source) =>
    patternsOf(source).some((pattern) => overlaps(tokensOf(pattern), tokens)),
  );
  if (feeding.length === 0 && config.sources.length > 0) {
    faults.push({ path: [...path, 'match'], message: 'no source delivers a subject that matches' });
  }
  if (rule.order !== 'none' && isOrdered(rule) && feeding.some((source) => !isSingle(source))) {
    const message = "order needs a source with 'owner: single'; or say 'order: none' to give it up";
    faults.push({ path: [...path, 'order'], message });
  }
  return faults;
}

const isSingle = (source: SourceConfig) => 'core' in source || source.owner === 'single';

function isOrdered(rule: RuleConfig): boolean {
  if (rule.to === 'drop') return false;
  if ('sqs' in rule.to) return isFifo(rule.to.sqs.queue);
  return 'sns' in rule.to && isFifo(rule.to.sns.topic);
}

function checkDeadLetters(config: BridgeConfig): readonly ConfigFault[] {
  if (config.dlq !== undefined) return [];
  const faults: ConfigFault[] = config.rules.flatMap((rule, index) =>
    rule.to === 'drop' || rule.dlq !== undefined
      ? []
      : [{ path: ['rules', index], message: "has no 'dlq', and there is none for all rules" }],
  );
  if (config.unmatched === 'dlq' && config.rules.length > 0) {
    const message = "'unmatched: dlq' needs a 'dlq' for all rules; or say 'unmatched: drop'";
    faults.push({ path: ['unmatched'], message });
  }
  return faults;
}

/** A dead letter or a reverse message must not come in again where it went out. */
function checkLoops(config: BridgeConfig): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  const all = [{ dlq: config.dlq, path: ['dlq'] as Path }];
  for (const [index, { dlq }] of config.rules.entries()) all.push({ dlq, path: ['rules', index, 'dlq'] });
  for (const { dlq, path } of all) {
    if (dlq === undefined || !('nats' in dlq)) continue;
    if (config.sources.some((source) => comesBack(dlq.nats, source))) {
      faults.push({ path, message: `a source reads '${dlq.nats}': dead letters would come in again` });
    }
  }
  for (const [index, rule] of config.reverse.entries()) {
    const queue = 'sqs' in rule.from ? rule.from.sqs.queue : undefined;
    const sentTo = config.rules.filter(({ to }) => to !== 'drop' && 'sqs' in to && to.sqs.queue === queue);
    if (sentTo.length > 0 && config.sources.some((source) => comesBack(rule.subject, source))) {
      faults.push({ path: ['reverse', index], message: `'${queue}' is also a rule's destination: a loop` });
    }
  }
  return faults;
}

/** Whether a templated subject can be one of the source's: what is before the first hole decides. */
function comesBack(template: string, source: SourceConfig): boolean {
  const fixed = template.split('{{')[0] as string;
  const tokens = template.includes('{{') ? [...fixed.split('.').slice(0, -1), '>'] : tokensOf(template);
  return patternsOf(source).some((pattern) => overlaps(tokensOf(pattern), tokens));
}

function checkNames(config: BridgeConfig): readonly ConfigFault[] {
  const seen = new Set<string>();
  return config.rules.flatMap(({ name }, index) => {
    if (name === undefined) return [];
    if (seen.has(name))
      return [{ path: ['rules', index, 'name'], message: `'${name}' is another rule's name` }];
    seen.add(name);
    return [];
  });
}
