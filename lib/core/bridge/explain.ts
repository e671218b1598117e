/** `explain SUBJECT`: which rule takes a subject where, and what arrives there, for a sample message. */
import { patternsOf } from './checks.ts';
import type { SourceConfig } from './config.ts';
import type { DeadLetterSpec } from './deadLetter.ts';
import type { Draft } from './draft.ts';
import { formatDuration } from './duration.ts';
import type { BridgeMessage } from './message.ts';
import type { Plan, Rule } from './plan.ts';
import { rulesFor, wants } from './selection.ts';
import { isReserved, matches, subjectFault } from './subject.ts';
import type { TargetSpec } from './target.ts';

/** The explanation, one line of text per element. `sample.subject` is the subject asked about. */
export function explain(plan: Plan, sample: BridgeMessage): readonly string[] {
  const { subject } = sample;
  const fault = subjectFault(subject);
  if (fault !== null) return [`'${subject}' is no subject: it ${fault}`];
  const lines = [`subject   ${subject}`, ...sourceLines(plan, subject)];
  if (isReserved(subject)) {
    lines.push('reserved  a pattern that begins with a wildcard does not mean it');
  }
  const taking = rulesFor(plan, sample);
  for (const rule of plan.router.routesFor(subject))
    lines.push(...ruleLines(rule, sample, taking.includes(rule)));
  if (taking.length > 0) return lines;
  const letters = plan.deadLetters === null ? 'nowhere' : deadLetterWords(plan.deadLetters, sample);
  lines.push(plan.config.unmatched === 'drop' ? 'no rule   dropped and counted' : `no rule   to ${letters}`);
  return lines;
}

function sourceLines(plan: Plan, subject: string): readonly string[] {
  const carrying = plan.config.sources.filter((source) =>
    patternsOf(source).some((pattern) => matches(pattern, subject)),
  );
  if (carrying.length === 0) return ['source    none delivers it'];
  return carrying.map((source) => `source    ${sourceWords(source)}`);
}

function sourceWords(source: SourceConfig): string {
  if ('core' in source) return `core NATS ${source.core} (at most once)`;
  const consumer = `stream ${source.stream}, consumer ${source.durable}`;
  return `${consumer}, ${source.ack} acknowledgements, ${source.owner} owner`;
}

function ruleLines(rule: Rule, sample: BridgeMessage, takes: boolean): readonly string[] {
  const head = `${rule.name}  ${rule.match}`;
  if (!takes) {
    const failing = rule.conditions.find((condition) => !condition.holds(sample));
    const why = wants(rule, sample) ? 'an earlier rule takes it' : `needs ${failing?.words ?? ''}`;
    return [`passed    ${head}: ${why}`];
  }
  const lines = [`takes     ${head}`];
  for (const condition of rule.conditions) lines.push(`  where   ${condition.words}`);
  if (rule.target === null) return [...lines, '  to      dropped and counted'];
  lines.push(...targetLines(rule.target));
  const draft = rule.render(sample);
  if ('refused' in draft) lines.push(`  refused ${draft.refused}: ${draft.message}`);
  else lines.push(...draftLines(draft));
  if (rule.deadLetters !== null) lines.push(`  dlq     ${deadLetterWords(rule.deadLetters, sample)}`);
  return lines;
}

function targetLines(target: TargetSpec): readonly string[] {
  const { batch, limits, retry } = target;
  const rate =
    limits.ratePerSec === null ? 'no rate limit until throttled' : `${limits.ratePerSec} requests/s`;
  const size = `up to ${batch.max} entries, ${batch.bytes} bytes, ${formatDuration(batch.lingerMs)} wait`;
  const tries = `${retry.attempts} attempts per entry over ${formatDuration(retry.budgetMs)} or more`;
  const pauses = `${formatDuration(retry.baseMs)} to ${formatDuration(retry.capMs)}`;
  return [
    `  to      ${target.key}`,
    `  batch   ${size}; ${limits.inFlight} under way; ${rate}`,
    `  retry   ${tries}, ${pauses} apart, then ${retry.exhausted}`,
  ];
}

function draftLines(draft: Draft): readonly string[] {
  const lines: string[] = [];
  const add = (name: string, value: string) => {
    if (value !== '') lines.push(`  ${name.padEnd(8)}${value}`);
  };
  switch (draft.kind) {
    case 'eventbridge':
      add('source', draft.source);
      add('type', draft.detailType);
      add('time', draft.time);
      for (const resource of draft.resources) add('about', resource);
      add('detail', draft.detail);
      return lines;
    case 'sqs':
    case 'sns':
      add('lane', draft.group);
      add('dedup', draft.dedup);
      add('subject', draft.subject);
      for (const [name, value] of draft.attributes) add('attr', `${name} = ${value}`);
      add('body', draft.base64 ? `(base64) ${draft.body}` : draft.body);
      return lines;
    case 'dynamodb':
      add('lane', draft.key);
      for (const [name, type, value] of draft.item) add('item', `${name} (${type}) = ${value}`);
      return lines;
  }
}

function deadLetterWords(spec: DeadLetterSpec, sample: BridgeMessage): string {
  return spec.kind === 'sqs' ? `sqs:${spec.queue}` : `nats:${spec.subject(sample)}`;
}
