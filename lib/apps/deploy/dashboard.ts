/** One page in CloudWatch per stage: what each service's users get, and how the controller does. */
import { dimensionsOf } from '../../aws/metrics/ecsAlb.ts';
import type { ServiceSettings } from '../../core/config/settings.ts';
import { type Resources, sub } from './cloudFormation.ts';
import { type Metric, placed, type Widget } from './dashboardWidget.ts';
import { type Deployment, machineName, prefixOf } from './deployment.ts';
import { deployedFunctions } from './functions.ts';
import { machines } from './machines.ts';

/** CloudWatch takes 500 widgets; three per service, and the controller's own. */
const servicesMax = 150;

export function dashboard(deployment: Deployment): Resources {
  const services = deployment.configuration.services.slice(0, servicesMax);
  const widgets = [...services.flatMap(serviceWidgets), ...controllerWidgets(deployment)];
  const body = { widgets: widgets.map(placed) };
  return {
    Dashboard: {
      Type: 'AWS::CloudWatch::Dashboard',
      Properties: { DashboardName: prefixOf(deployment), DashboardBody: sub(JSON.stringify(body)) },
    },
  };
}

function serviceWidgets({ service, target }: ServiceSettings): readonly Widget[] {
  if (target.kind !== 'ecs-alb') return [];
  const both = (name: string): readonly Metric[] =>
    (['blue', 'green'] as const).map((slot) => [
      'AWS/ApplicationELB',
      name,
      ...dimensionsOf(target, slot).flatMap(({ Name, Value }) => [Name, Value]),
      { label: slot },
    ]);
  return [
    { title: `${service}: requests`, stat: 'Sum', metrics: both('RequestCount') },
    { title: `${service}: server errors`, stat: 'Sum', metrics: both('HTTPCode_Target_5XX_Count') },
    { title: `${service}: p95 seconds`, stat: 'p95', metrics: both('TargetResponseTime') },
  ];
}

function controllerWidgets(deployment: Deployment): readonly Widget[] {
  const prefix = prefixOf(deployment);
  const perFunction = (name: string): readonly Metric[] =>
    Object.keys(deployedFunctions).map((verb) => [
      'AWS/Lambda',
      name,
      'FunctionName',
      `${prefix}-${verb}`,
      { label: verb },
    ]);
  const stateMachines = 'arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine';
  const perMachine = (name: string): readonly Metric[] =>
    machines.map((machine) => [
      'AWS/States',
      name,
      'StateMachineArn',
      `${stateMachines}:${machineName(deployment, machine.name)}`,
      { label: machine.name },
    ]);
  const perQueue = (name: string, queues: readonly string[]): readonly Metric[] =>
    queues.map((queue) => ['AWS/SQS', name, 'QueueName', `${prefix}-${queue}`, { label: queue }]);
  return [
    { title: 'Functions: errors', stat: 'Sum', metrics: perFunction('Errors') },
    { title: 'Functions: p95 milliseconds', stat: 'p95', metrics: perFunction('Duration') },
    { title: 'Functions: throttles', stat: 'Sum', metrics: perFunction('Throttles') },
    { title: 'Machines: executions started', stat: 'Sum', metrics: perMachine('ExecutionsStarted') },
    { title: 'Machines: executions failed', stat: 'Sum', metrics: perMachine('ExecutionsFailed') },
    {
      title: 'Queues: age of the oldest message, seconds',
      stat: 'Maximum',
      metrics: perQueue('ApproximateAgeOfOldestMessage', ['alarms', 'intents.fifo', 'dead-letters']),
    },
  ];
}
