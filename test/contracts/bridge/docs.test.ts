/**
 * docs/bridge.md against what it describes: no option, function, metric or command without a word about it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { EmfReporter } from '../../../lib/apps/bridge/emf.ts';
import { parsePlan } from '../../../lib/apps/bridge/loadConfig.ts';
import { BridgeMetrics } from '../../../lib/apps/bridge/metrics.ts';
import { bridgeConfigSchema } from '../../../lib/core/bridge/config.ts';
import { messageFunctions } from '../../../lib/core/bridge/functions.ts';
import { repositoryRoot } from '../../tidy/plant.ts';

const page = readFileSync(`${repositoryRoot}/docs/bridge.md`, 'utf8');
const words = new Set(page.match(/[A-Za-z][A-Za-z0-9_-]*/g));

/** All property names of a JSON schema. */
function namesIn(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {} } = schema as { properties?: object };
  return [...Object.keys(properties), ...Object.values(schema).flatMap(namesIn)];
}

describe('docs/bridge.md', () => {
  it('explains every option', () => {
    const schema = z.toJSONSchema(bridgeConfigSchema, { io: 'input', unrepresentable: 'any' });
    const names = [...new Set(namesIn(schema))].filter((name) => name !== 'properties');
    expect(names.length).toBeGreaterThan(60);
    expect(names.filter((name) => !words.has(name))).toEqual([]);
  });

  it('explains every function of a template', () => {
    const names = [...messageFunctions(['*'], 'text').keys()];
    expect(names.filter((name) => !words.has(name))).toEqual([]);
  });

  it('names every metric that CloudWatch gets', () => {
    const bridge = { intakes: [], carrier: { blockedBy: [] } };
    const line = JSON.parse(new EmfReporter(bridge as never, new BridgeMetrics(0), 'b').line(0));
    const [{ Metrics }] = line._aws.CloudWatchMetrics;
    expect(
      Metrics.map(({ Name }: { Name: string }) => Name).filter((name: string) => !words.has(name)),
    ).toEqual([]);
  });

  it('shows only configurations that can be used', () => {
    const samples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
    const whole = samples.filter((text) => text.startsWith('version:'));
    expect(whole.length).toBe(1);
    for (const text of whole) expect(parsePlan(text, 'docs/bridge.md').rules.length).toBe(1);
    const [head = ''] = whole[0]?.split('sources:') ?? [];
    const back = samples.filter((text) => text.startsWith('reverse:'));
    expect(back.length).toBe(1);
    for (const text of back) expect(parsePlan(`${head}${text}`, 'docs/bridge.md').reverse.length).toBe(3);
  });
});
