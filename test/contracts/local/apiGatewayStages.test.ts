import { BadRequestException, CreateDeploymentCommand, NotFoundException } from '@aws-sdk/client-api-gateway';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiTestDesk, apiDesk } from './apiDesk.ts';
import { awsCliJson } from './awsCli.ts';
import { bodies } from './elbDesk.ts';

let desk: ApiTestDesk;
beforeEach(async () => {
  desk = await apiDesk();
});
afterEach(() => desk.close());

describe('a stage', () => {
  it('serves its deployment with its variables, and a changed variable counts at once', async () => {
    const { phase2 } = await desk.twoPhases();
    expect((await desk.get('/books/7?full=1')).body).toBe('one /books/7?full=1');
    await desk.patch({ op: 'replace', path: '/variables/backend', value: phase2 });
    expect((await desk.get('/books/7')).body).toBe('two /books/7');
    expect((await desk.stage()).variables).toEqual({ backend: phase2 });
  });

  it('keeps what was deployed, whatever is edited later', async () => {
    await desk.twoPhases();
    const other = await desk.client.send(new CreateDeploymentCommand({ restApiId: desk.at.api }));
    expect((await desk.stage()).deploymentId).not.toBe(other.id);
    await desk.patch({ op: 'replace', path: '/deploymentId', value: other.id });
    expect((await desk.stage()).deploymentId).toBe(other.id);
    await expect(desk.patch({ op: 'replace', path: '/deploymentId', value: 'nope' })).rejects.toBeInstanceOf(
      NotFoundException,
    );
  });

  it('sends the canary its percent with its overrides, and promotes it by copying', async () => {
    const { phase1, phase2 } = await desk.twoPhases();
    const { id } = await desk.deploy({
      canarySettings: { percentTraffic: 20, stageVariableOverrides: { backend: phase2 } },
    });
    const { canarySettings, deploymentId } = await desk.stage();
    expect(canarySettings).toEqual({
      percentTraffic: 20,
      deploymentId: id,
      stageVariableOverrides: { backend: phase2 },
      useStageCache: false,
    });
    const { port, path } = await desk.address();
    const ask = (count: number) => bodies(port, count, {}, `${path}/x`);
    const some = await ask(200);
    expect(some['two /x']).toBeGreaterThan(20);
    expect(some['two /x']).toBeLessThan(65);
    await desk.patch({ op: 'replace', path: '/canarySettings/percentTraffic', value: '0.0' });
    expect(await ask(20)).toEqual({ 'one /x': 20 });
    await desk.patch(
      { op: 'copy', from: '/canarySettings/stageVariableOverrides', path: '/variables' },
      { op: 'copy', from: '/canarySettings/deploymentId', path: '/deploymentId' },
      { op: 'remove', path: '/canarySettings' },
    );
    expect(await ask(5)).toEqual({ 'two /x': 5 });
    const promoted = await desk.stage();
    expect(promoted).toMatchObject({ deploymentId: id, variables: { backend: phase2 } });
    expect(promoted.canarySettings).toBeUndefined();
    expect([deploymentId, phase1]).not.toContain(promoted.deploymentId);
  });

  it('takes all of a patch or none of it', async () => {
    const { phase1, phase2 } = await desk.twoPhases();
    const bad = desk.patch(
      { op: 'replace', path: '/variables/backend', value: phase2 },
      { op: 'replace', path: '/canarySettings/percentTraffic', value: '101' },
    );
    await expect(bad).rejects.toBeInstanceOf(BadRequestException);
    expect((await desk.stage()).variables).toEqual({ backend: phase1 });
  });

  it.each([
    [{ op: 'replace', path: '/nothing', value: '1' }, /Invalid patch path/],
    [{ op: 'copy', from: '/canarySettings/deploymentId', path: '/deploymentId' }, /no canary/],
    [{ op: 'replace', path: '/canarySettings/percentTraffic', value: 'many' }, /between 0.0 and 100.0/],
    [{ op: 'replace', path: '/variables/back-end', value: 'x' }, /letters, digits/],
  ] as const)('refuses %j', async (operation, message) => {
    await desk.twoPhases();
    await expect(desk.patch(operation)).rejects.toThrow(message);
  });

  it('with a canary takes no other deployment, and a canary needs a stage', async () => {
    await desk.twoPhases();
    await desk.deploy({ canarySettings: { percentTraffic: 5 } });
    await expect(desk.deploy()).rejects.toThrow(/has a canary/);
    await expect(desk.deploy({ stageName: 'other', canarySettings: { percentTraffic: 5 } })).rejects.toThrow(
      /existing stage/,
    );
  });
});

describe('Debian’s client', () => {
  it('updates a stage and reads it', async () => {
    await desk.twoPhases();
    const named = ['--rest-api-id', desk.at.api, '--stage-name', 'prod'];
    const operation = 'op=replace,path=/canarySettings/percentTraffic,value=12.5';
    await awsCliJson(desk.url, 'apigateway', 'update-stage', ...named, '--patch-operations', operation);
    const read = await awsCliJson(desk.url, 'apigateway', 'get-stage', ...named);
    expect(read.canarySettings).toMatchObject({ percentTraffic: 12.5 });
  });
});
