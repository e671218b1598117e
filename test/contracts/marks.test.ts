/** The notes on a target, as tags of two target groups of the local cloud. */
import {
  AddTagsCommand,
  DescribeTagsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { AlbTarget } from '../../events/target.ts';
import { weightedRule } from '../../lib/aws/weightedRule.ts';
import { type LocalCloud, startLocalCloud } from '../../lib/local/cloud.ts';
import { freePort } from '../../lib/local/freePort.ts';
import { fixedAddresses } from '../e2e/elsewhere.ts';

const fellBackAt = 1_795_260_577_582;
const fellBack = { at: fellBackAt, id: '8f0c-1', by: 'ada', why: 'carts are lost', slot: 'blue' } as const;

let cloud: LocalCloud;
let balancer: ElasticLoadBalancingV2Client;
let target: AlbTarget;
const calls: string[] = [];
beforeAll(async () => {
  cloud = await startLocalCloud({ seed: 1 });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const at = { endpoint: cloud.url, region: 'eu-west-1', credentials };
  target = (await fixedAddresses(at, await freePort(), { phase1: 1, phase2: 2 })) as AlbTarget;
  balancer = new ElasticLoadBalancingV2Client(at);
  balancer.middlewareStack.add(
    (next, { commandName }) =>
      (call) => {
        calls.push(commandName ?? '');
        return next(call);
      },
    { step: 'initialize' },
  );
});
afterAll(() => cloud.close());
beforeEach(() => void calls.splice(0));

const traffic = () => weightedRule(balancer, async () => undefined);

async function tagsOf(slot: 'blue' | 'green'): Promise<Readonly<Record<string, string>>> {
  const asked = new DescribeTagsCommand({ ResourceArns: [target.targetGroups[slot]] });
  const { TagDescriptions } = await balancer.send(asked);
  return Object.fromEntries((TagDescriptions?.[0]?.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
}

const hand = (slot: string) =>
  balancer.send(
    new AddTagsCommand({
      ResourceArns: Object.values(target.targetGroups),
      Tags: [{ Key: 'switchback:stable-slot', Value: slot }],
    }),
  );

it('a stable side is marked in one call, with what its writer knew, and read in one', async () => {
  expect(await traffic().stableMark(target)).toBeNull();
  await traffic().markStable(target, 'green', fellBackAt - 1);
  expect(await traffic().stableMark(target)).toBe('green');
  expect(calls).toEqual(['DescribeTagsCommand', 'AddTagsCommand', 'DescribeTagsCommand']);
  const tags = { 'switchback:stable-slot': 'green', 'switchback:stable-knows': `green ${fellBackAt - 1}` };
  expect(await tagsOf('blue')).toMatchObject(tags);
  expect(await tagsOf('green')).toMatchObject(tags);
});

it('the fire exit marks its side in one call, and who took it', async () => {
  await traffic().markStable(target, 'green', fellBackAt - 1);
  calls.splice(0);
  await traffic().markFallBack(target, fellBack);
  expect(await traffic().stableMark(target)).toBe('blue');
  expect(calls).toEqual(['AddTagsCommand', 'DescribeTagsCommand']);
  expect(await traffic().fallBackMark(target)).toEqual(fellBack);
  expect(await tagsOf('green')).toMatchObject({
    'switchback:fell-back': `${fellBackAt} 8f0c-1 to blue by ada: carts are lost`,
    'switchback:stable-slot': 'blue',
    'switchback:stable-knows': `blue ${fellBackAt}`,
  });
});

it('a mark that lands after the fire exit’s is not believed, unless its writer knew of it', async () => {
  await traffic().markFallBack(target, fellBack);
  await traffic().markStable(target, 'green', fellBackAt - 60_000);
  expect(await traffic().stableMark(target)).toBe('blue');
  await traffic().markStable(target, 'green', fellBackAt);
  expect(await traffic().stableMark(target)).toBe('green');
});

it('one that went elsewhere leaves the stable side as it is marked', async () => {
  await traffic().markStable(target, 'green', fellBackAt - 60_000);
  await traffic().markFallBack(target, { ...fellBack, slot: null });
  expect(await traffic().stableMark(target)).toBe('green');
  expect(await traffic().fallBackMark(target)).toEqual({ ...fellBack, slot: null });
});

it('a person, or a version before, who writes the slot alone is believed', async () => {
  await traffic().markFallBack(target, fellBack);
  await hand('green');
  expect(await traffic().stableMark(target)).toBe('green');
  await hand('nothing of ours');
  expect(await traffic().stableMark(target)).toBeNull();
});
