/** MisterSmith's own rules, over a real nats-server and the local cloud: what agents find becomes events. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Discoveries, openDiscoveries } from '../../lib/apps/demo/discoveries.ts';
import { type LocalCloud, startLocalCloud } from '../../lib/local/cloud.ts';
import { repositoryRoot } from '../tidy/plant.ts';
import { until } from '../until.ts';

let cloud: LocalCloud;
let discoveries: Discoveries;

beforeAll(async () => {
  cloud = await startLocalCloud();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  discoveries = await openDiscoveries(repositoryRoot, {
    endpoint: cloud.url,
    region: 'eu-west-1',
    credentials,
  });
});
afterAll(async () => {
  await discoveries.close();
  await cloud.close();
});

it('every discovery published to NATS arrives as an event of its kind, from its agent', async () => {
  await until('some were said', () => discoveries.said > 30, 30_000);
  const { said, arrived, example } = await discoveries.ended();
  expect(arrived).toBe(said);
  expect(example).toMatch(/^Discovery(Insight|Anomaly|Pattern) from mistersmith\.agent-[0-2]$/);
});
