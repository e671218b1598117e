/** What ECS's events say of a service, as one value: something is wrong with its tasks, or nothing is. */
import * as z from 'zod/mini';
import { malformed, type Parsed, parse, parsed } from '../parsed.ts';
import { parseEcsDeploymentChange, parseTaskChange } from './ecs.ts';

export type DeploymentTrouble = {
  readonly eventId: string;
  readonly cluster: string;
  readonly ecsService: string;
  /** `task`: one task ended as it should not have; `deployment`: ECS gave the deployment up. */
  readonly kind: 'task' | 'deployment';
  readonly what: string;
};

const Kind = z.object({ 'detail-type': z.string() });

/** null: nothing is wrong, as far as this event tells. */
export function parseDeploymentTrouble(body: unknown): Parsed<DeploymentTrouble | null> {
  const read = parse(Kind, body, 'deployment event');
  if (!read.ok) return read;
  switch (read.value['detail-type']) {
    case 'ECS Task State Change':
      return fromTask(body);
    case 'ECS Deployment State Change':
      return fromDeployment(body);
    default:
      return malformed(
        `deployment event: detail-type "${read.value['detail-type']}" is not listened to; ` +
          'expected ECS Task State Change or ECS Deployment State Change',
      );
  }
}

function fromTask(body: unknown): Parsed<DeploymentTrouble | null> {
  const task = parseTaskChange(body);
  if (!task.ok) return task;
  const { eventId, cluster, service, failed, what } = task.value;
  return parsed(
    service === null || !failed ? null : { eventId, cluster, ecsService: service, kind: 'task', what },
  );
}

function fromDeployment(body: unknown): Parsed<DeploymentTrouble | null> {
  const deployment = parseEcsDeploymentChange(body);
  if (!deployment.ok) return deployment;
  const { eventId, cluster, service, state, reason } = deployment.value;
  const what = `ECS gave the deployment up: ${reason}`;
  return parsed(
    state === 'failed' ? { eventId, cluster, ecsService: service, kind: 'deployment', what } : null,
  );
}
