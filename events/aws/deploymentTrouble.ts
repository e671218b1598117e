/** What ECS and CodeDeploy say went wrong, as one value: a task, or a deployment that was given up. */
import { type Parsed, parsed } from '../parsed.ts';
import { parseCodeDeployChange } from './codeDeploy.ts';
import { parseEcsDeploymentChange, parseTaskChange } from './ecs.ts';

export type DeploymentTrouble = {
  readonly eventId: string;
  /**
   * `deployment`: it was given up, or is taken back already; `task`: one task, which may be ordinary life.
   */
  readonly kind: 'deployment' | 'task';
  /** Whose it is, as AWS names it. */
  readonly of: EcsServiceName | DeploymentGroupName;
  /** One sentence for a person. */
  readonly what: string;
  /** Epoch milliseconds. */
  readonly changedAt: number;
};

export type EcsServiceName = { readonly cluster: string; readonly ecsService: string };
export type DeploymentGroupName = { readonly application: string; readonly deploymentGroup: string };

/** null: all is well, or it is no task of a service. */
export function parseDeploymentTrouble(body: unknown): Parsed<DeploymentTrouble | null> {
  switch ((body as { readonly 'detail-type'?: unknown } | null)?.['detail-type']) {
    case 'ECS Deployment State Change':
      return ecsDeploymentTrouble(body);
    case 'CodeDeploy Deployment State-change Notification':
      return codeDeployTrouble(body);
    default:
      return taskTrouble(body);
  }
}

function taskTrouble(body: unknown): Parsed<DeploymentTrouble | null> {
  const read = parseTaskChange(body);
  if (!read.ok) return read;
  const { eventId, cluster, service, failed, what, changedAt } = read.value;
  return parsed(
    failed && service !== null
      ? { eventId, kind: 'task', of: { cluster, ecsService: service }, what, changedAt }
      : null,
  );
}

function ecsDeploymentTrouble(body: unknown): Parsed<DeploymentTrouble | null> {
  const read = parseEcsDeploymentChange(body);
  if (!read.ok) return read;
  const { eventId, cluster, service, state, rollingBack, reason, deploymentId, changedAt } = read.value;
  const what = `ECS deployment ${deploymentId} of ${service}: ${reason || state}`;
  return parsed(
    state === 'failed' || rollingBack
      ? { eventId, kind: 'deployment', of: { cluster, ecsService: service }, what, changedAt }
      : null,
  );
}

/** A deployment that was stopped did not do what it began either, whoever stopped it. */
function codeDeployTrouble(body: unknown): Parsed<DeploymentTrouble | null> {
  const read = parseCodeDeployChange(body);
  if (!read.ok) return read;
  const { eventId, application, deploymentGroup, deploymentId, state, changedAt } = read.value;
  const what = `CodeDeploy deployment ${deploymentId} of ${application}/${deploymentGroup} ${state}`;
  return parsed(
    state === 'failed' || state === 'stopped'
      ? {
          ...{ eventId, kind: 'deployment', of: { application, deploymentGroup } },
          what: state === 'failed' ? what : what.replace(/stopped$/, 'was stopped'),
          changedAt,
        }
      : null,
  );
}
