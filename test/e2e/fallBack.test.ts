/** The fire exit on the wire: it works while the controller's own parts do not, and nobody undoes it. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { Route53Client, TestDNSAnswerCommand } from '@aws-sdk/client-route-53';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AlbTarget, ApiStageTarget, DnsTarget } from '../../events/target.ts';
import { apiStageTraffic } from '../../lib/aws/traffic/apiStage.ts';
import { overrideAt, type ServiceState } from '../../lib/core/rollout/state.ts';
import type { FallBackStep } from '../../lib/flows/fallBack.ts';
import { freePort } from '../../lib/local/freePort.ts';
import { repositoryRoot, run } from '../tidy/plant.ts';
import { until } from '../until.ts';
import { container, fixedAddresses, phasedApi, weightedName } from './elsewhere.ts';
import { openWire, stream, type Wire } from './wire.ts';

let wire: Wire;
const closing: (() => void)[] = [];
let api: ApiStageTarget;
let name: DnsTarget;
let fixed: AlbTarget;
let fixedPort: number;

beforeAll(async () => {
  const [phase1, phase2] = [await container('phase1'), await container('phase2')];
  closing.push(phase1.close, phase2.close);
  const ports = { phase1: phase1.port, phase2: phase2.port };
  fixedPort = await freePort();
  const service = {
    strategy: {
      kind: 'canary',
      stepPercentMax: 60,
      finalFromPercent: 40,
      steps: [{ weight: 50, bakeSeconds: 900 }, { weight: 100 }],
    },
    evaluateSeconds: 600, // only the fire exit and what meets it are tried
    scaleDownDelaySeconds: 0,
    shiftTimeoutSeconds: 1,
    healthFailuresMax: 100, // tasks of a busy machine start late
  };
  wire = await openWire(service, {
    others: async (at) => {
      api = await phasedApi(at, ports);
      name = await weightedName(at, 1);
      fixed = await fixedAddresses(at, fixedPort, ports);
      const old = (target: unknown) => ({ target, shiftTimeoutSeconds: 0, fallback: { slot: 'blue' } });
      const healthUrl = `http://127.0.0.1:${phase1.port}/health`;
      return {
        books: { ...old(api), fallback: { slot: 'blue', healthUrl } },
        site: { ...old(name), dependsOn: ['books'] },
        fixed: { ...old(fixed), dependsOn: ['site'] },
      };
    },
  });
}, 90_000);

afterAll(async () => {
  await wire.close();
  for (const close of closing) close();
});

afterEach(aborted);

/** A rollout at 50 %, baking. */
async function baking() {
  wire.cloud.faults.clear();
  const release = await wire.request();
  await wire.phase('baking');
  expect(await wire.canaryWeight()).toBe(50);
  return release;
}

const text = async (url: string) => (await fetch(url)).text();

const fallBack = (request: Readonly<Record<string, unknown>>) =>
  wire.invoke('fall-back', { why: 'the test says so', by: 'ada', ...request });

async function desiredCounts() {
  const command = new DescribeServicesCommand({ cluster: 'shop', services: ['shop-blue', 'shop-green'] });
  const { services = [] } = await new ECSClient(wire.at).send(command);
  return Object.fromEntries(services.map(({ serviceName, desiredCount }) => [serviceName, desiredCount]));
}

const canarySlot = async () => {
  const rollout = (await wire.state())?.rollout;
  return rollout === undefined || rollout.phase === 'none' ? 'green' : rollout.canarySlot;
};

/** What a rollout becomes after a person looked: over, so that the next test can begin its own. */
async function aborted() {
  wire.cloud.faults.clear();
  const phase = (await wire.state())?.rollout.phase ?? 'none';
  if (phase === 'none' || phase === 'rolled-back') return;
  await wire.operate('abort');
  await wire.phase('rolled-back');
  expect(await wire.canaryWeight()).toBe(0);
  expect((await wire.store.verify(stream)).brokenAt).toBeNull();
}

const parts = ['dynamodb', 'states', 'ssm', 'events', 'monitoring'];

describe('with the parts of the controller refusing', () => {
  it.each(parts)('%s', async (service) => {
    const apiUrl = `${await wire.cloud.apiGateway.urlOf(api.restApiId, 'live')}/books`;
    await apiStageTraffic(new APIGatewayClient(wire.at)).shift(api, 'green', 100);
    expect(await text(apiUrl)).toBe('phase2');
    const { version } = await wire.store.head('service/books');
    wire.cloud.faults.add({ service, caller: 'fn-', fault: { kind: 'error', status: 500 } });
    const { payload } = await fallBack({ service: 'books' });
    expect(payload).toMatchObject({ outcome: 'fell-back', recorded: 'intent-queue' });
    expect(await text(apiUrl)).toBe('phase1');
    wire.cloud.faults.clear();
    await until('its record', async () => (await wire.store.head('service/books')).version > version);
  });

  it('all of them, in the middle of a rollout', async () => {
    await baking();
    const slot = await canarySlot();
    for (const service of parts)
      wire.cloud.faults.add({ service, caller: 'fn-', fault: { kind: 'error', status: 500 } });
    const { failed, payload } = await fallBack({ service: 'shop' });
    expect(failed).toBeUndefined();
    expect(payload).toMatchObject({ outcome: 'fell-back', recorded: 'intent-queue' });
    expect(await wire.canaryWeight()).toBe(0);
    expect((await desiredCounts())[`shop-${slot}`]).toBe(0);
    wire.cloud.faults.clear();
    await wire.phase('held');
  });

  it('and the intent queue as well: the answer, the log and the target have it', async () => {
    const { before } = await baking();
    for (const service of [...parts, 'sqs'])
      wire.cloud.faults.add({ service, caller: 'fn-', fault: { kind: 'error', status: 500 } });
    const { payload } = await fallBack({ service: 'shop' });
    expect(payload).toMatchObject({ outcome: 'fell-back', recorded: 'answer' });
    expect(payload.steps.map(({ what }: FallBackStep) => what).join()).toContain('not recorded');
    expect(wire.lines.some((line) => line.includes('"what":"all traffic to '))).toBe(true);
    expect(await wire.canaryWeight()).toBe(0);
    // The controller comes back, and meets it as drift all the same.
    wire.cloud.faults.clear();
    await wire.invoke('reconcile');
    expect((await wire.state())?.rollout).toMatchObject({ phase: 'held', reason: 'drift' });
    expect((await wire.events(before + 1)).filter(({ type }) => type === 'FellBack')).toMatchObject([
      { by: 'ada', why: 'the test says so' },
    ]);
    expect(await wire.canaryWeight()).toBe(0);
  });
});

describe('its work', () => {
  it('costs two round trips before the traffic moves where the mark is asked, one where the slot is said', async () => {
    for (const [request, before] of [
      [{}, ['DescribeTags', 'DescribeRules']],
      [{ slot: 'stable' }, ['DescribeRules']],
    ] as const) {
      await baking();
      const stable = (await canarySlot()) === 'green' ? 'blue' : 'green';
      const from = wire.requests.length;
      await fallBack({ service: 'shop', ...('slot' in request ? { slot: stable } : {}) });
      const made = wire.requests
        .slice(from)
        .filter(({ caller }) => caller.startsWith('fn-switchback-fall-back'));
      const operations = made.map(({ operation }) => operation);
      expect(operations.slice(0, operations.indexOf('ModifyRule'))).toEqual(before);
      await wire.phase('held');
      await aborted();
    }
  });

  it('is known to the rollout as drift, with who and why; done twice is as done once', async () => {
    const { before } = await baking();
    const { payload } = await fallBack({ service: 'shop', why: 'carts are lost' });
    expect(payload.steps.every(({ ok }: FallBackStep) => ok)).toBe(true);
    await wire.phase('held');
    const events = await wire.events(before + 1);
    expect(events.find(({ type }) => type === 'FellBack')).toMatchObject({
      by: 'ada',
      why: 'carts are lost',
    });
    expect(events.find(({ type }) => type === 'DriftFound')).toMatchObject({
      expectedWeight: 50,
      foundWeight: 0,
    });
    for (const id of ['one', 'two']) await wire.invoke('reconcile', { id });
    expect(await wire.canaryWeight()).toBe(0);

    const counts = await desiredCounts();
    const from = wire.requests.length;
    const again = await fallBack({ service: 'shop' });
    expect(again.payload.outcome).toBe('fell-back');
    expect(wire.requests.slice(from).some(({ operation }) => operation === 'ModifyRule')).toBe(false);
    expect(await desiredCounts()).toEqual(counts);
    expect(await wire.canaryWeight()).toBe(0);
  });

  it('dryRun says what it would do and touches nothing', async () => {
    const { before } = await baking();
    const from = wire.requests.length;
    const { payload } = await fallBack({ dryRun: true });
    expect(payload.outcome).toBe('dry-run');
    expect(payload.steps.map(({ service }: FallBackStep) => service)).toEqual([
      'shop',
      'fixed',
      'site',
      'books',
    ]);
    expect(payload.steps.every(({ what }: FallBackStep) => what.startsWith('would send all traffic'))).toBe(
      true,
    );
    const made = wire.requests
      .slice(from)
      .filter(({ caller }) => caller.startsWith('fn-switchback-fall-back'));
    expect(made.map(({ operation }) => operation)).toEqual(['DescribeTags']);
    expect(await wire.canaryWeight()).toBe(50);
    expect((await wire.events(before + 1)).some(({ type }) => type === 'FellBack')).toBe(false);
  });

  it('holds against a step in flight: its late write is moved back, and reconcile leaves it there', async () => {
    const struck = wire.cloud.faults.strikes.length;
    wire.cloud.faults.add({
      service: 'elasticloadbalancing',
      operation: 'ModifyRule',
      nth: 1,
      times: 1,
      caller: 'fn-switchback-shift',
      fault: { kind: 'late', ms: 600, answer: 'silence' },
    });
    const release = await wire.request();
    await until('the step is in flight', () => wire.cloud.faults.strikes.length > struck);
    const { payload } = await fallBack({ service: 'shop' });
    expect(payload.outcome).toBe('fell-back');
    await wire.phase('held');
    for (const id of ['three', 'four']) await wire.invoke('reconcile', { id });
    expect(await wire.canaryWeight()).toBe(0);
    const events = await wire.events(release.before + 1);
    expect(events.some(({ type }) => type === 'FellBack')).toBe(true);
  });

  it('does not scale the failed side down while the balancer cannot be seen to send it nothing', async () => {
    await baking();
    const slot = await canarySlot();
    wire.cloud.faults.add({
      service: 'elasticloadbalancing',
      operation: 'ModifyRule',
      caller: 'fn-switchback-fall-back',
      fault: { kind: 'error', status: 503 },
    });
    const { payload } = await fallBack({ service: 'shop' });
    expect(payload.outcome).toBe('incomplete');
    expect((await desiredCounts())[`shop-${slot}`]).toBe(1);
    await wire.phase('held');
  });

  it('is not suspended by an override, which holds an alarm back and ends by itself', async () => {
    const { before } = await baking();
    const untilMinutes = 5;
    await wire.operate('override', { why: 'load test', untilMinutes });
    const override = await until('the override', async () => (await wire.state())?.override);
    expect(override).toMatchObject({ by: 'test', why: 'load test' });
    const shown = `"override":${JSON.stringify(override)}`;
    await until('the answer shows it', () => wire.lines.some((line) => line.includes(shown)));
    expect(await wire.traffic.overrideMark(wire.target)).toEqual(override);
    const alarm = `shop-${await canarySlot()}-errors`;
    await wire.ring(alarm);
    await until('the alarm, overridden', async () =>
      (await wire.events(before + 1)).find(
        (event) => event.type === 'AlarmReceived' && event.action === 'overridden',
      ),
    );
    expect(await wire.canaryWeight()).toBe(50);
    const { payload } = await fallBack({ service: 'shop' });
    expect(payload.outcome).toBe('fell-back');
    expect(JSON.stringify(payload.steps)).toContain('test suspended automatic roll backs until ');
    expect(await wire.canaryWeight()).toBe(0);
    const state = (await wire.state()) as ServiceState;
    expect(overrideAt(state, override.until - 1)).toEqual(override);
    expect(overrideAt(state, override.until)).toBeNull();
    await wire.operate('lift-override');
    await wire.ring(alarm, 'OK');
  });

  it('is taken by the command, aws lambda invoke and sls invoke; without Lambda the command says what to type', async () => {
    const app = fileURLToPath(new URL('../../lib/apps/fallBack/main.ts', import.meta.url));
    const taken = (endpoint: string, ...more: readonly string[]) => {
      const args = [app, '--why', 'a drill', '--by', 'ada', '--endpoint', endpoint, ...more];
      return promisify(execFile)(process.execPath, args).catch(
        (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => error,
      );
    };
    const payload = JSON.stringify({ service: 'books', why: 'a drill', dryRun: true });
    const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const env = { PATH: process.env.PATH, AWS_DEFAULT_REGION: 'eu-west-1', ...credentials };
    await wire.alsoNamed('fall-back', 'prod');
    const folder = mkdtempSync(join(tmpdir(), 'switchback-fall-back-'));
    closing.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'answer.json');
    const [command, byHand, , sls] = await Promise.all([
      taken(wire.cloud.url, '--service', 'books', '--dry-run'),
      taken(`http://127.0.0.1:${await freePort()}`, '--config', 'examples/shop/switchback.yml'),
      promisify(execFile)(
        '/usr/bin/aws',
        [
          ...[
            '--endpoint-url',
            wire.cloud.url,
            'lambda',
            'invoke',
            '--function-name',
            'switchback-fall-back',
          ],
          ...['--cli-binary-format', 'raw-in-base64-out', '--payload', payload, file],
        ],
        { env },
      ),
      run(
        join(repositoryRoot, 'node_modules/.bin/sls'),
        ['invoke', '-f', 'fall-back', '--stage', 'prod', '--data', payload],
        repositoryRoot,
        {
          ...{ ...env, PATH: `${join(repositoryRoot, 'node_modules/.bin')}:${env.PATH}`, HOME: folder },
          ...{ AWS_ENDPOINT_URL: wire.cloud.url, SWITCHBACK_CONFIG: 'examples/shop/switchback.yml' },
        },
      ),
    ]);
    expect(command.stdout).toContain('ok    books: would send all traffic to blue (api-stage)');
    expect(command.stdout).toContain('Nothing was touched.');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ outcome: 'dry-run' });
    expect(sls).toMatchObject({ status: 0, output: expect.stringContaining('"outcome": "dry-run"') });
    expect(sls.output).toContain('would send all traffic to blue (api-stage)');
    expect('code' in byHand ? byHand.code : 0).toBe(1);
    expect(byHand.stderr).toContain('By hand:');
    expect(byHand.stderr).toContain('aws elbv2 modify-');
  }, 60_000);

  it('refuses a service nobody configured, and a call without a reason', async () => {
    expect((await fallBack({ service: 'cart' })).payload).toMatchObject({
      outcome: 'refused',
      reason: 'unknown-service',
    });
    const { failed, payload } = await wire.invoke('fall-back', { service: 'shop' });
    expect(failed).toBeDefined();
    expect(payload.errorType).toBe('BadInput');
  });
});

describe('an old world elsewhere', () => {
  it('a stage variable, a name’s weights and fixed addresses, dependents first', async () => {
    const apiUrl = `${await wire.cloud.apiGateway.urlOf(api.restApiId, 'live')}/books`;
    const fixedUrl = `http://127.0.0.1:${fixedPort}/`;
    await until('phase 2 answers', async () => (await text(fixedUrl)) === 'phase2');
    await apiStageTraffic(new APIGatewayClient(wire.at)).shift(api, 'green', 100);
    expect(await text(apiUrl)).toBe('phase2');
    const { payload } = await fallBack({ slot: 'blue' });
    const moves = payload.steps.filter(({ what }: FallBackStep) => what.startsWith('all traffic to blue ('));
    expect(moves.map(({ service, what }: FallBackStep) => `${service}: ${what}`)).toEqual([
      'shop: all traffic to blue (ecs-alb)',
      'fixed: all traffic to blue (alb)',
      'site: all traffic to blue (dns)',
      'books: all traffic to blue (api-stage)',
    ]);
    expect(payload).toMatchObject({ outcome: 'fell-back', recorded: 'intent-queue' });
    for (const service of ['shop', 'fixed', 'site', 'books']) {
      await until(`the record of ${service}`, async () =>
        (await wire.store.head(`service/${service}`)).tail.some(({ event }) => event.type === 'FellBack'),
      );
    }
    expect(await text(apiUrl)).toBe('phase1');
    await until('phase 1 answers', async () => (await text(fixedUrl)) === 'phase1');
    const { RecordData } = await new Route53Client(wire.at).send(
      new TestDNSAnswerCommand({
        HostedZoneId: name.hostedZoneId,
        RecordName: name.name,
        RecordType: 'CNAME',
      }),
    );
    expect(RecordData?.[0]).toContain('old.example');
    expect(payload.steps.find(({ what }: FallBackStep) => what.includes('/health'))).toMatchObject({
      service: 'books',
      ok: true,
    });
  });
});
