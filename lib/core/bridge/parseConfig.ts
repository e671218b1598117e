/** A document against the configuration's form, with every fault where it is. */
import type * as z from 'zod';
import { type BridgeConfig, bridgeConfigSchema, type ConfigFault } from './config.ts';

/** The configuration, or every fault of its form. Relations between options are `compilePlan`'s to check. */
export function parseBridgeConfig(
  document: unknown,
): { readonly config: BridgeConfig } | { readonly faults: readonly ConfigFault[] } {
  const result = bridgeConfigSchema.safeParse(document);
  if (result.success) return { config: result.data };
  return { faults: result.error.issues.flatMap((issue) => faultsOf(issue, [])) };
}

type Issue = z.core.$ZodIssue;

function faultsOf(issue: Issue, above: readonly (string | number)[]): readonly ConfigFault[] {
  const path = [...above, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: `'${key}' is not an option here` }));
  }
  if (issue.code === 'invalid_union') {
    // The branch that got furthest is the one that was meant.
    const depth = (branch: readonly Issue[]) => Math.max(0, ...branch.map((inner) => inner.path.length));
    const meant = [...issue.errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0] ?? [];
    return meant.flatMap((inner) => faultsOf(inner, path));
  }
  return [{ path, message: issue.message }];
}
