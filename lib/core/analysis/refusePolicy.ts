// Relations between the options of a policy that no single option's schema can see.
import { shiftSizes } from './latencyEvidence.ts';
import type { AnalysisPolicy, AnalysisTemplate, TemplateMetric } from './policy.ts';
import { shapeProblems } from './policyShape.ts';

/** What is wrong with a policy, one sentence each; empty when it can be used. */
export function refusePolicy(policy: AnalysisPolicy): string[] {
  const shape = shapeProblems(policy);
  if (shape.length > 0) return shape.map(({ path, sentence }) => `${path.join('.')} ${sentence}`);
  return [
    ...refuseFigures(policy),
    ...refuseBusiness(policy),
    ...twice(policy.templates.map((template) => template.name)).map(
      (name) => `Two templates are named ${name}.`,
    ),
    ...policy.templates.flatMap(refuseTemplate),
    ...policy.templates.flatMap((template) => refuseMeasures(template, policy)),
    ...policy.dryRun.flatMap((pattern) => refusePattern('The policy', pattern)),
  ];
}

/** What is wrong with one template. */
export function refuseTemplate(template: AnalysisTemplate): string[] {
  const names = template.metrics.map((metric) => metric.name);
  const patterns = template.dryRun ?? [];
  return [
    ...(names.length === 0 ? [`Template ${template.name} has no metric.`] : []),
    ...twice(names).map((name) => `Template ${template.name} has two metrics named ${name}.`),
    ...template.metrics.flatMap((metric) => refuseMetric(template.name, metric)),
    ...patterns.flatMap((pattern) => {
      const wrong = refusePattern(`Template ${template.name}`, pattern);
      if (wrong.length > 0) return wrong;
      const matches = names.some((name) => new RegExp(pattern).test(name));
      return matches ? [] : [`Dry-run pattern ${pattern} of template ${template.name} matches no metric.`];
    }),
  ];
}

/** A metric of a check that is not made would never measure anything. */
function refuseMeasures(
  { name: template, metrics }: AnalysisTemplate,
  { business }: AnalysisPolicy,
): string[] {
  return metrics.flatMap(({ name, measure }) =>
    typeof measure === 'object' && business.every((check) => check.name !== measure.business)
      ? [`Metric ${name} of template ${template}: there is no business check ${measure.business}.`]
      : [],
  );
}

function refuseMetric(template: string, metric: TemplateMetric): string[] {
  const {
    count,
    intervalSeconds,
    failureLimit = 0,
    inconclusiveLimit = 0,
    consecutiveSuccessLimit = 0,
  } = metric;
  const where = `Metric ${metric.name} of template ${template}`;
  const wrong: string[] = [];
  if (failureLimit < -1 || !Number.isInteger(failureLimit))
    wrong.push(`${where}: failureLimit is −1 (off) or a whole number from 0.`);
  if (consecutiveSuccessLimit < 0 || !Number.isInteger(consecutiveSuccessLimit)) {
    wrong.push(`${where}: consecutiveSuccessLimit is 0 (off) or a whole number.`);
  }
  if (failureLimit === -1 && consecutiveSuccessLimit === 0) {
    wrong.push(`${where}: failureLimit and consecutiveSuccessLimit are both off, so nothing could end it.`);
  }
  if (count !== undefined) {
    if (count < 1 || !Number.isInteger(count)) wrong.push(`${where}: count is a whole number from 1.`);
    if (count > 1 && intervalSeconds === undefined)
      wrong.push(`${where}: count ${count} needs intervalSeconds.`);
    const reached = Math.max(0, failureLimit) + consecutiveSuccessLimit;
    if (count < reached) {
      wrong.push(
        `${where}: count ${count} is less than failureLimit + consecutiveSuccessLimit (${reached}).`,
      );
    }
    if (count < inconclusiveLimit)
      wrong.push(`${where}: count ${count} is less than inconclusiveLimit ${inconclusiveLimit}.`);
  }
  if (intervalSeconds !== undefined && intervalSeconds <= 0)
    wrong.push(`${where}: intervalSeconds is more than 0.`);
  return wrong;
}

function refuseFigures(policy: AnalysisPolicy): string[] {
  const { alpha, shares, objective, errors, latency } = policy;
  const wrong: string[] = [];
  if (!(objective > 0 && objective < 1))
    wrong.push('objective lies between 0 and 1: without an error budget nothing burns.');
  if (!(alpha > 0 && alpha <= 0.1)) wrong.push('alpha lies above 0 and is at most 0.1.');
  if (shares.errors + shares.latency + shares.business > 1 + 1e-9)
    wrong.push('The shares of alpha sum to more than 1.');
  if (Math.min(shares.errors, shares.latency, shares.business) < 0)
    wrong.push('A share of alpha is negative.');
  if (policy.windowSeconds < policy.periodSeconds)
    wrong.push('windowSeconds is shorter than one period of data.');
  if (policy.holdAtEValue >= 1 / alpha)
    wrong.push('holdAtEValue is not below 1 ÷ alpha: it would never hold.');
  if (errors.margin < 1) wrong.push('errors.margin below 1 would ask the canary to be better than stable.');
  if (latency.margin < 1) wrong.push('latency.margin below 1 would ask the canary to be faster than stable.');
  const smallest = shiftSizes[0] ?? 0;
  if (!(latency.shiftMargin >= 0 && latency.shiftMargin < smallest)) {
    wrong.push(
      `latency.shiftMargin lies from 0 to below ${smallest}, the smallest shift that is looked for.`,
    );
  }
  if (errors.maxRate <= 0 || errors.maxRate > 1) wrong.push('errors.maxRate lies above 0 and is at most 1.');
  if (errors.minimumErrors < 1)
    wrong.push('errors.minimumErrors is at least 1: no error is no reason to go back.');
  if (policy.dispersion.withoutHistory < 1) wrong.push('dispersion.withoutHistory is at least 1.');
  if (latency.thresholdsMs.some((value, i) => i > 0 && value <= (latency.thresholdsMs[i - 1] ?? 0))) {
    wrong.push('latency.thresholdsMs ascend.');
  }
  return wrong;
}

function refuseBusiness({ business, shares }: AnalysisPolicy): string[] {
  return [
    ...twice(business.map((check) => check.name)).map((name) => `Two business checks are named ${name}.`),
    ...business
      .filter((check) => !(check.tolerance >= 0 && check.tolerance < 1))
      .map((check) => `Business check ${check.name}: tolerance lies between 0 and 1.`),
    ...(business.some((check) => check.dryRun !== true) && shares.business === 0
      ? ['Business checks have no share of alpha, so they could never decide.']
      : []),
  ];
}

function refusePattern(owner: string, pattern: string): string[] {
  try {
    new RegExp(pattern);
    return [];
  } catch {
    return [`${owner}: ${pattern} is not a regular expression.`];
  }
}

function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}
