/**
 * What keeps, watches and shows, in the compiled template: the record, the machines, the alarms, the page.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { compileConfiguration } from '../../../lib/apps/configure/compile.ts';
import { deployedFunctions } from '../../../lib/apps/deploy/functions.ts';
import { type Packaged, packaged, packagingMs, type TemplateResource } from './packaged.ts';
import { resolved } from './resolved.ts';

let prod: Packaged;
let dev: Packaged;
beforeAll(async () => {
  prod = await packaged('prod', 'mistersmith');
  dev = await packaged('dev', 'mistersmith');
}, packagingMs);

const ofType = (
  type: string,
  { template }: Packaged = prod,
): readonly (readonly [string, TemplateResource])[] =>
  Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
// biome-ignore lint/suspicious/noExplicitAny: a resource's properties have its type's own shape
const properties = (id: string, { template }: Packaged = prod): any => template.Resources[id]?.Properties;

describe('the record', () => {
  it('is streamed, recoverable to any second, encrypted with a key of ours, and outlives the stack', () => {
    const { DeletionPolicy, UpdateReplacePolicy, Properties } = prod.template.Resources.EventTable ?? {};
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
    expect(Properties).toMatchObject({
      StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      DeletionProtectionEnabled: true,
      SSESpecification: { SSEType: 'KMS', KMSMasterKeyId: { 'Fn::GetAtt': ['ControllerKey', 'Arn'] } },
    });
    expect(prod.template.Resources.ControllerKey?.DeletionPolicy).toBe('Retain');
    expect(properties('EventTable', dev).DeletionProtectionEnabled).toBe(false);
  });
});

describe('a state machine', () => {
  it('is logged without its inputs, traced, versioned, and started by its alias', () => {
    const machines = ofType('AWS::StepFunctions::StateMachine');
    expect(machines.length).toBeGreaterThan(2);
    for (const [id, { Properties }] of machines) {
      expect(Properties).toMatchObject({
        TracingConfiguration: { Enabled: true },
        LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
      });
      expect(properties(`${id}Version`).StateMachineArn).toEqual({ Ref: id });
      expect(prod.template.Resources[`${id}Version`]?.DeletionPolicy).toBe('Retain');
      expect(properties(`${id}Live`)).toMatchObject({
        Name: 'live',
        DeploymentPreference: { StateMachineVersionArn: { Ref: `${id}Version` } },
      });
    }
    const { Variables } = properties('OnDashalarmLambdaFunction').Environment;
    expect(JSON.stringify(Variables.ROLLBACK_MACHINE)).toContain('switchback-prod-rollback:live');
  });
});

describe('a function', () => {
  it('on the alarm’s way has its concurrency kept free, and the fire exit too; a small account keeps none', () => {
    const kept = (at: Packaged) =>
      ofType('AWS::Lambda::Function', at).flatMap(([, { Properties }]) =>
        Properties.ReservedConcurrentExecutions === undefined
          ? []
          : [[Properties.FunctionName, Properties.ReservedConcurrentExecutions]],
      );
    expect(kept(prod)).toEqual([
      ['switchback-prod-on-alarm', 10],
      ['switchback-prod-fall-back', 10],
    ]);
    expect(kept(dev)).toEqual([]);
  });

  it('that is called by a rule is tried again, and what fails is kept', () => {
    const rules = ofType('AWS::Events::Rule');
    expect(rules.length).toBeGreaterThan(5);
    for (const [id, { Properties }] of rules) {
      for (const target of Properties.Targets) {
        expect([id, target.RetryPolicy.MaximumRetryAttempts > 0]).toEqual([id, true]);
        expect([id, target.DeadLetterConfig.Arn]).toEqual([id, { 'Fn::GetAtt': ['DeadLetters', 'Arn'] }]);
      }
    }
  });
});

describe('the controller', () => {
  it('is watched by alarms that reach people, and rings when its clock falls silent', () => {
    const own = ofType('AWS::CloudWatch::Alarm').filter(([, { Properties }]) => Properties.AlarmActions);
    const names = own.map(([, { Properties }]) => Properties.AlarmName.replace('switchback-prod-', ''));
    expect(names).toEqual(
      expect.arrayContaining([
        ...['dead-letters', 'intent-dead-letters', 'alarm-queue-age', 'intent-queue-age'],
        ...['rollback-failed', 'rollback-timed-out', 'rollout-failed', 'publish-events-iterator-age'],
        ...['reconcile-errors', 'on-alarm-throttles', 'fall-back-throttles', 'parked-streams'],
      ]),
    );
    for (const [, { Properties }] of own) {
      expect(Properties.AlarmActions).toEqual([{ Ref: 'NotificationTopic' }]);
    }
    const clock = own.find(([, { Properties }]) => Properties.AlarmName.endsWith('-reconcile-errors'));
    expect(clock?.[1].Properties.TreatMissingData).toBe('breaching');
  });

  it('has one page with every service and every function', () => {
    const { DashboardBody } = properties('Dashboard');
    const body = resolved(prod.template, DashboardBody) as unknown as string;
    const { widgets } = JSON.parse(body) as {
      widgets: { properties: { title: string; metrics: unknown[] } }[];
    };
    const titles = widgets.map((widget) => widget.properties.title);
    for (const service of ['orchestrator', 'agent', 'discovery-engine']) {
      expect(titles.filter((title) => title.startsWith(`${service}: `))).toHaveLength(3);
    }
    const errors = widgets.find((widget) => widget.properties.title === 'Functions: errors');
    expect(errors?.properties.metrics).toHaveLength(Object.keys(deployedFunctions).length);
  });
});

describe('each service with an objective', () => {
  it('has a fast and a slow pair of burn windows, and one alarm over both that leads to the rollback', async () => {
    const { services } = await compileConfiguration('examples/mistersmith/switchback.yml', 'prod');
    const windows = ofType('AWS::CloudWatch::Alarm').filter(([, { Properties }]) => Properties.Metrics);
    const rule = JSON.stringify(properties('AlarmsRule1').EventPattern);
    for (const { service, alarms } of services) {
      const name = `switchback-prod-${service}-burn`;
      const of = (window: string) =>
        windows.find(([, { Properties }]) => Properties.AlarmName === `${name}-${window}`)?.[1].Properties;
      const shape = (window: string) => [of(window).Threshold, of(window).Metrics[0].MetricStat.Period];
      // SRE Workbook, chapter 5: 2 % of a 30-day budget in an hour, 5 % in six.
      expect(['fast-long', 'fast-short', 'slow-long', 'slow-short'].map(shape)).toEqual([
        [14.4, 3600],
        [14.4, 300],
        [6, 21_600],
        [6, 1800],
      ]);
      const composite = ofType('AWS::CloudWatch::CompositeAlarm').find(
        ([, { Properties }]) => Properties.AlarmName === name,
      );
      expect(composite?.[1].Properties.AlarmRule).toBe(
        `(ALARM("${name}-fast-long") AND ALARM("${name}-fast-short")) OR ` +
          `(ALARM("${name}-slow-long") AND ALARM("${name}-slow-short"))`,
      );
      // Heard by the rule, and known to the functions that hear it.
      expect(rule).toContain(`"${name}"`);
      expect(alarms.map((alarm) => alarm.name)).toContain(name);
      expect(alarms.find((alarm) => alarm.name === name)?.scope).toBe('service');
    }
  });
});
