import { describe, expect, it } from 'vitest';
import { failing, operate, play, request } from './scene.ts';

const started = (day: Awaited<ReturnType<typeof play>>) =>
  day.all('RolloutStarted').map(({ rolloutId }) => rolloutId);

describe('a second request while a rollout is under way', () => {
  it('is refused, where the configuration says nothing else', async () => {
    const day = await play({ happenings: [request(), request(100, 'shop:3', 'r2')] });
    expect(started(day)).toEqual(['r1']);
    expect(day.phase).toBe('promoted');
  });

  const queueing = { configuration: { whileActive: 'queue' }, minutes: 40 };

  it('waits for its turn, and is planned for the slots as they are by then', async () => {
    const day = await play({ ...queueing, happenings: [request(), request(100, 'shop:3', 'r2')] });
    expect(started(day)).toEqual(['r1', 'r2']);
    expect(day.all('RolloutStarted').map(({ canarySlot }) => canarySlot)).toEqual(['green', 'blue']);
    expect(day.slot('blue').revision).toBe('shop:3');
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 90, 50, 0]);
  });

  it('waits between two steps as well, where the traffic is split', async () => {
    const day = await play({ ...queueing, happenings: [request(), request(260, 'shop:3', 'r2')] });
    expect(started(day)).toEqual(['r1', 'r2']);
  });

  it('is asked for again when whoever was to do so has died', async () => {
    const day = await play({
      ...queueing,
      behaviours: { 'shop:2': failing() },
      happenings: [request(), request(100, 'shop:3', 'r2')],
      faults: [{ on: 'roll-back/requests.send', kind: 'crash-before' }],
    });
    expect(started(day)).toEqual(['r1', 'r2']);
    expect(day.state.rollout).toMatchObject({ rolloutId: 'r2', phase: 'promoted' });
  });

  it('is dropped with a reason when its revision became known bad meanwhile', async () => {
    const day = await play({
      ...queueing,
      happenings: [
        request(),
        operate(80, 'abort'),
        request(100, 'shop:2', 'r2'),
        request(600, 'shop:3', 'r3'),
      ],
    });
    expect(started(day)).toEqual(['r1', 'r3']);
    expect(day.all('RolloutQueued')).toEqual([]);

    const waited = await play({
      ...queueing,
      behaviours: { 'shop:3': failing() },
      happenings: [request(), request(100, 'shop:3', 'r2'), request(800, 'shop:3', 'r3')],
    });
    expect(started(waited)).toEqual(['r1', 'r2']);
    expect(waited.state.knownBad).toEqual(['shop:3']);
  });

  it('keeps the reason it was asked for with', async () => {
    const day = await play({
      ...queueing,
      behaviours: { 'shop:2': failing(30) },
      happenings: [
        request(),
        operate(200, 'resume'),
        request(300, 'shop:3', 'r2'),
        { ...request(400, 'shop:2', 'r3'), knownBadOverride: 'it was the network' } as never,
      ],
    });
    expect(day.all('RolloutStarted').at(-1)).toMatchObject({
      ...{ rolloutId: 'r3', knownBadOverride: 'it was the network' },
    });
  });

  it('takes the place of the first, which goes back and is not called bad for it', async () => {
    const day = await play({
      configuration: { whileActive: 'supersede' },
      minutes: 40,
      happenings: [request(), request(100, 'shop:3', 'r2')],
    });
    expect(day.all('RollbackInitiated')).toMatchObject([{ rolloutId: 'r1', trigger: 'superseded' }]);
    expect(started(day)).toEqual(['r1', 'r2']);
    expect(day.state).toMatchObject({ knownBad: [], rollout: { rolloutId: 'r2', phase: 'promoted' } });
  });

  it('is held for a person when the service was rolled back too often today', async () => {
    const day = await play({
      configuration: { rollbacksPerDayMax: 1 },
      behaviours: { 'shop:2': failing() },
      happenings: [request(), request(400, 'shop:3', 'r2'), operate(700, 'resume')],
      minutes: 40,
    });
    expect(day.all('RolloutHeld')).toMatchObject([{ reason: 'flapping' }]);
    expect(day.phase).toBe('promoted');
  });

  it('is one rollout although it is delivered twice, and again an hour later', async () => {
    const day = await play({
      faults: [{ on: 'deliver.request', kind: 'duplicate', ms: 1_000_000 }],
      minutes: 40,
    });
    expect(started(day)).toEqual(['r1']);
    expect(day.phase).toBe('promoted');
  });
});
