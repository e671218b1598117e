/**
 * A CodeDeploy deployment that changed its state. The event holds neither a reason nor a link to the rollback
 * it may have begun; `aws deploy get-deployment` tells both by the deployment's id.
 */
import * as z from 'zod/mini';
import { type Parsed, parse } from '../parsed.ts';
import { eventBridgeForm, timed } from './envelope.ts';

export const CodeDeployDeploymentStateChange = eventBridgeForm(
  'aws.codedeploy',
  'CodeDeploy Deployment State-change Notification',
  z.object({
    application: z.string(),
    deploymentGroup: z.string(),
    deploymentId: z.string().check(z.minLength(1)),
    state: z.string(),
  }),
);

export type CodeDeployChanged = {
  readonly eventId: string;
  readonly application: string;
  readonly deploymentGroup: string;
  readonly deploymentId: string;
  /** `other`: a name CodeDeploy has added since. */
  readonly state: 'started' | 'ready' | 'succeeded' | 'failed' | 'stopped' | 'other';
  readonly region: string;
  readonly account: string;
  readonly changedAt: number;
};

const states: Readonly<Record<string, CodeDeployChanged['state']>> = {
  START: 'started',
  READY: 'ready',
  SUCCESS: 'succeeded',
  FAILURE: 'failed',
  STOP: 'stopped',
};

export function parseCodeDeployChange(body: unknown): Parsed<CodeDeployChanged> {
  const read = parse(CodeDeployDeploymentStateChange, body, 'CodeDeploy event');
  if (!read.ok) return read;
  const { id, region, account, time, detail } = read.value;
  const { application, deploymentGroup, deploymentId } = detail;
  const state = states[detail.state] ?? 'other';
  const deployment = { application, deploymentGroup, deploymentId, state };
  return timed('CodeDeploy event', time, { eventId: id, ...deployment, region, account });
}
