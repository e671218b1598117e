/** What the account says of a configured service wakes the functions, and what it says of others does not. */
import { describe, expect, it } from 'vitest';
import { parseDeploymentTrouble } from '../../../events/aws/deploymentTrouble.ts';
import { accountRules } from '../../../lib/apps/deploy/accountRules.ts';
import type { Deployment } from '../../../lib/apps/deploy/deployment.ts';
import { settingsOf } from '../../../lib/core/config/configuration.ts';
import { compileEventPattern } from '../../../lib/local/eventBridge/eventPattern.ts';
import { having, type Json, sample } from '../../core/events/payloads.ts';

const arn = 'arn:aws:elasticloadbalancing:eu-central-1:123456789012';
const orchestrator = {
  target: {
    kind: 'ecs-alb',
    cluster: 'mistersmith-prod',
    services: { blue: 'mistersmith-orchestrator-blue', green: 'mistersmith-orchestrator-green' },
    targetGroups: { blue: `${arn}:targetgroup/blue/1`, green: `${arn}:targetgroup/green/2` },
    ruleArn: `${arn}:listener-rule/app/mistersmith/1/2/3`,
  },
};

/** The events that reach the deployment queue. */
function deploymentRules(service: object): readonly ((event: Json) => boolean)[] {
  const configuration = settingsOf({ services: { orchestrator: service } });
  if (!('services' in configuration)) throw new Error(JSON.stringify(configuration.problems));
  const stage = { name: 'dev' };
  const rules = accountRules({ stage, configuration, dist: 'dist' } as Deployment);
  return Object.values(rules).map(({ Properties }) => {
    const pattern = (Properties as { readonly EventPattern: object }).EventPattern;
    return compileEventPattern(JSON.stringify(pattern)) as (event: Json) => boolean;
  });
}

const wakes = (service: object, event: Json): boolean =>
  deploymentRules(service).some((matches) => matches(event));

const group = { application: 'orchestrator', deploymentGroup: 'prod' };
const withGroup = { ...orchestrator, codeDeploy: [group] };

describe('the rules of an account', () => {
  it.each(['EcsTaskStateChange', 'EcsDeploymentStateChange'])('let a service’s %s through', (name) => {
    expect(wakes(orchestrator, sample(name))).toBe(true);
  });

  it.each(['FAILURE', 'STOP'])('let CodeDeploy’s %s of a configured group through, as trouble', (state) => {
    const event = having('CodeDeployDeploymentStateChange', 'detail.state', state);
    expect(wakes(withGroup, event)).toBe(true);
    expect(parseDeploymentTrouble(event)).toMatchObject({
      ok: true,
      value: { kind: 'deployment', of: group },
    });
  });

  it.each(['START', 'READY', 'SUCCESS'])('wake nobody for CodeDeploy’s %s', (state) => {
    expect(wakes(withGroup, having('CodeDeployDeploymentStateChange', 'detail.state', state))).toBe(false);
  });

  it.each([
    ['no group is configured', orchestrator],
    ['another group is', { ...orchestrator, codeDeploy: [{ ...group, deploymentGroup: 'pro' }] }],
    [
      'the group of another application is',
      { ...orchestrator, codeDeploy: [{ ...group, application: 'x' }] },
    ],
    [
      'only the end of its application’s name is the same',
      { ...orchestrator, codeDeploy: [{ ...group, application: 'strator' }] },
    ],
  ])('wake nobody for CodeDeploy where %s', (_, service) => {
    expect(wakes(service, sample('CodeDeployDeploymentStateChange'))).toBe(false);
  });

  it('has no rule for CodeDeploy where nobody uses it', () => {
    expect(deploymentRules(withGroup)).toHaveLength(deploymentRules(orchestrator).length + 1);
  });
});
