/** A part of the analysis policy over its defaults: the shape and types of the defaults are kept. */
import type { AnalysisPolicy } from '../analysis/policy.ts';
import type { Problem } from './problem.ts';

type Path = readonly (string | number)[];

/** @param problems what is wrong with `given` is added here */
export function mergedPolicy(
  defaults: AnalysisPolicy,
  given: Readonly<Record<string, unknown>>,
  path: Path,
  problems: Problem[],
): AnalysisPolicy {
  const refuse = (at: Path, sentence: string, base: unknown): unknown => {
    problems.push({ path: at, sentence });
    return base;
  };
  const over = (base: unknown, value: unknown, at: Path): unknown => {
    if (Array.isArray(base)) return Array.isArray(value) ? value : refuse(at, 'must be a list.', base);
    if (typeof base === 'object' && base !== null) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return refuse(at, 'must be a mapping.', base);
      }
      const merged: Record<string, unknown> = { ...base };
      for (const [key, inner] of Object.entries(value)) {
        if (key in base) merged[key] = over((base as Record<string, unknown>)[key], inner, [...at, key]);
        else {
          const known = Object.keys(base).join(', ');
          refuse([...at, key], `unknown key "${key}": known are ${known}.`, undefined);
        }
      }
      return merged;
    }
    if (typeof value === typeof base) return value;
    return refuse(at, `must be a ${typeof base}, it is a ${value === null ? 'null' : typeof value}.`, base);
  };
  return over(defaults, given, path) as AnalysisPolicy;
}
