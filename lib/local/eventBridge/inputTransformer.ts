/**
 * What a target gets of an event: all of it, a part, a constant, or a template filled from it.
 * Source: EventBridge user guide, "Amazon EventBridge input transformation".
 */
import { type Json, valueAt } from '../json.ts';

export type InputTransformer = {
  readonly InputPathsMap?: Readonly<Record<string, string>> | undefined;
  readonly InputTemplate: string | undefined;
};
export type Shaping = {
  readonly Input?: string | undefined;
  readonly InputPath?: string | undefined;
  readonly InputTransformer?: InputTransformer | undefined;
};
export type Rule = { readonly name: string; readonly arn: string };

/** The text that the target receives: JSON, except where a template makes a plain string. */
export function targetInput(event: Json, shaping: Shaping, rule: Rule): string {
  if (shaping.Input !== undefined) return shaping.Input;
  if (shaping.InputPath !== undefined) return JSON.stringify(valueAt(event, shaping.InputPath) ?? null);
  if (shaping.InputTransformer === undefined) return JSON.stringify(event);
  return fill(event, shaping.InputTransformer, rule);
}

function fill(event: Json, { InputPathsMap = {}, InputTemplate = '' }: InputTransformer, rule: Rule): string {
  const reserved: Readonly<Record<string, Json | undefined>> = {
    'aws.events.rule-arn': rule.arn,
    'aws.events.rule-name': rule.name,
    'aws.events.event.ingestion-time': valueAt(event, '$.time'),
    'aws.events.event': withoutDetail(event),
    'aws.events.event.json': event,
  };
  const lookUp = (name: string): Json => {
    const path = InputPathsMap[name];
    return (path === undefined ? reserved[name] : valueAt(event, path)) ?? null;
  };
  // Inside quotes a variable is text; outside it is JSON. Everything else stays as it is written.
  const parts = InputTemplate.split(/("(?:[^"\\]|\\.)*")/);
  const filled = parts.map((part, index) => {
    const quoted = index % 2 === 1;
    return part.replace(/<([\w.-]+)>/g, (_, name) =>
      quoted ? asText(lookUp(name)) : JSON.stringify(lookUp(name)),
    );
  });
  return filled.join('');
}

/** A value inside quotes: escaped as JSON text, objects too. */
function asText(value: Json): string {
  const text = typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}

function withoutDetail(event: Json): Json {
  const { detail: _, ...rest } = event as { readonly [key: string]: Json };
  return rest;
}
