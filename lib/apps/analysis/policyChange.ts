/** A policy with a few values changed: from a YAML file, from `--set key=value`, or both, the latter last. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { AnalysisPolicy } from '../../core/analysis/policy.ts';
import { refusePolicy } from '../../core/analysis/refusePolicy.ts';
import { mergedPolicy } from '../../core/config/mergedPolicy.ts';
import type { Problem } from '../../core/config/problem.ts';
import { readYaml } from '../configure/yamlFile.ts';

export type PolicyChange = { readonly policyPath: string | null; readonly sets: readonly string[] };

/**
 * The changed policy, and what is different, as `errors.margin 1 → 1.25`.
 * @throws Error with one sentence per value that cannot be
 */
export function changePolicy(
  policy: AnalysisPolicy,
  { policyPath, sets }: PolicyChange,
): { readonly policy: AnalysisPolicy; readonly differences: readonly string[] } {
  const parts = [...(policyPath === null ? [] : [fileOf(policyPath)]), ...sets.map(settingOf)];
  const problems: Problem[] = [];
  let changed = policy;
  for (const part of parts) changed = mergedPolicy(changed, part, [], problems);
  const sentences = [
    ...problems.map(({ path, sentence }) => `${path.join('.')}: ${sentence}`),
    ...(problems.length > 0 ? [] : refusePolicy(changed)),
  ];
  if (sentences.length > 0) throw new Error(sentences.join('\n'));
  return { policy: changed, differences: differencesOf(policy, changed, '') };
}

type Part = Readonly<Record<string, unknown>>;

function fileOf(path: string): Part {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(`${path} cannot be read: name an existing file`, { cause });
  }
  const { value } = readYaml(text, basename(path));
  if (isPart(value)) return value;
  throw new Error(`${basename(path)}: must be a mapping, as under \`analysis:\` in switchback.yml`);
}

function settingOf(setting: string): Part {
  const equals = setting.indexOf('=');
  if (equals < 1) throw new Error(`--set ${setting}: write it as key=value, errors.margin=1.25 say`);
  const path = setting.slice(0, equals).split('.');
  const { value } = readYaml(setting.slice(equals + 1), `--set ${setting}`);
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Part;
}

function differencesOf(before: unknown, after: unknown, at: string): string[] {
  if (isPart(before) && isPart(after)) {
    return Object.keys(after).flatMap((key) =>
      differencesOf(before[key], after[key], at === '' ? key : `${at}.${key}`),
    );
  }
  const [from, to] = [JSON.stringify(before), JSON.stringify(after)];
  return from === to ? [] : [`${at} ${from} → ${to}`];
}

const isPart = (value: unknown): value is Part =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
