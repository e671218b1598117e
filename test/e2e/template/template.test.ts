/** The compiled templates, judged by AWS's own tools without an account. */
import validation from '@aws/cloudformation-validate';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Example, type Packaged, packaged, packagingMs } from './packaged.ts';
import { specProblems } from './serviceSpec.ts';

const cases: readonly (readonly [stage: string, example: Example])[] = [
  ['dev', 'mistersmith'],
  ['staging', 'mistersmith'],
  ['prod', 'mistersmith'],
  ['prod', 'cloudshelf'],
];

const made = new Map<string, Packaged>();
beforeAll(async () => {
  for (const [stage, example] of cases) made.set(`${stage} ${example}`, await packaged(stage, example));
}, packagingMs);

const of = (stage: string, example: Example): Packaged => {
  const found = made.get(`${stage} ${example}`);
  if (found === undefined) throw new Error(`${stage} ${example} was not packaged`);
  return found;
};

/** W3030 is a value outside its enumeration, which AWS refuses although the validator only warns. */
const fails = (severity: string, rule: string) =>
  severity === 'FATAL' || severity === 'ERROR' || rule === 'W3030';

describe('AWS’s offline validator', () => {
  const engine = new validation.RegoEngine();
  const findings = (path: string) =>
    engine
      .validateStandard(new validation.TemplateFile(path))
      .diagnostics.filter(({ severity, ruleId }) => fails(String(severity), String(ruleId)))
      .map(({ ruleId, message }) => `${ruleId}: ${message}`);

  it.each(cases)('has nothing against stage %s of %s', (stage, example) => {
    expect(findings(of(stage, example).templatePath)).toEqual([]);
  });
});

it('the fire exit is never pulled again by Lambda: whoever pulled it may have gone on since', () => {
  const { FallBackRetries, StartRolloutRetries } = of('prod', 'mistersmith').template.Resources;
  expect(FallBackRetries?.Properties).toMatchObject({
    FunctionName: { Ref: 'FallDashbackLambdaFunction' },
    MaximumRetryAttempts: 0,
  });
  expect(StartRolloutRetries?.Properties).toMatchObject({ MaximumRetryAttempts: 2 });
});

describe('AWS’s resource specification', () => {
  it.each(cases)('has everything that stage %s of %s names', (stage, example) => {
    expect(specProblems(of(stage, example).template)).toEqual([]);
  });

  it('is not content with a key without a type, a value that is none, or an attribute that is not there', () => {
    const { template } = of('dev', 'mistersmith');
    const broken = structuredClone(template) as typeof template;
    const { Properties: table } = broken.Resources.EventTable ?? { Properties: {} };
    delete table.KeySchema[0].KeyType;
    table.BillingMode = ['PAY_PER_REQUEST'];
    table.TableName = { 'Fn::GetAtt': ['DeadLetters', 'Colour'] };
    table.Colour = 'blue';
    expect([...specProblems(broken)].sort()).toEqual([
      'EventTable.BillingMode: wants text, is ["PAY_PER_REQUEST"]',
      'EventTable.Colour: there is no such property',
      'EventTable.KeySchema[0].KeyType: is required',
      'EventTable.TableName: AWS::SQS::Queue has no attribute Colour',
    ]);
  });
});
