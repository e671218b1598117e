/** The bridge's page in CloudWatch: what comes, what goes, what waits, and what it costs in time. */
import type { BridgeDeployment } from './bridgeDeployment.ts';
import { bridgeNamespace } from './bridgeScaling.ts';
import { type Resources, sub } from './cloudFormation.ts';
import { placed } from './dashboardWidget.ts';

type Widget = { readonly title: string; readonly stat: string; readonly names: readonly string[] };

const widgets: readonly Widget[] = [
  { title: 'Messages a minute', stat: 'Sum', names: ['Received', 'Delivered'] },
  { title: 'Waiting in the streams', stat: 'Maximum', names: ['Lag'] },
  { title: 'In hand', stat: 'Sum', names: ['Open'] },
  { title: 'Added by the bridge, p99 milliseconds', stat: 'Maximum', names: ['AddedP99Ms', 'OldestMs'] },
  { title: 'Throttled and sent again', stat: 'Sum', names: ['Throttled', 'Retried'] },
  { title: 'Put aside, unmatched, dropped', stat: 'Sum', names: ['DeadLetters', 'Unmatched', 'Dropped'] },
  { title: 'Destinations that refuse', stat: 'Maximum', names: ['CircuitsOpen'] },
  { title: 'Tasks that report', stat: 'SampleCount', names: ['Lag'] },
];

export function bridgeDashboard(name: string, { plan }: BridgeDeployment): Resources {
  const own = widgets.map(({ title, stat, names }) => ({
    title,
    stat,
    metrics: names.map((metric) => [bridgeNamespace, metric, 'Bridge', plan.config.nats.name]),
  }));
  const machine = {
    title: 'CPU and memory of the tasks, percent',
    stat: 'Average',
    metrics: ['CPUUtilization', 'MemoryUtilization'].map((metric) => [
      'AWS/ECS',
      metric,
      'ClusterName',
      name,
      'ServiceName',
      name,
    ]),
  };
  const body = { widgets: [...own, machine].map(placed) };
  return {
    BridgeDashboard: {
      Type: 'AWS::CloudWatch::Dashboard',
      Properties: { DashboardName: name, DashboardBody: sub(JSON.stringify(body)) },
    },
  };
}
