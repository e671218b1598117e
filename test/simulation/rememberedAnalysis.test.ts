import { expect, it } from 'vitest';
import { rememberedAnalysis } from '../../lib/apps/simulate/rememberedAnalysis.ts';
import { analyse } from '../../lib/core/analysis/analyse.ts';
import type { Plan } from '../../lib/core/rollout/plan.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { SeededRandom } from '../../lib/sim/random.ts';
import { told } from '../core/analysis/rollout.ts';
import { play } from './scene.ts';

it('answers what analyse does at every look, also when minutes are revised in between', async () => {
  const { simulation } = await play({});
  const store = new SimEventStore(simulation.world.table);
  const plan = (await store.plan('service/shop', 'r1')) as Plan;
  const minutes = [...(await store.minutes('r1'))];
  expect(minutes.length).toBeGreaterThan(3);
  const random = new SeededRandom(1);
  for (let look = 0; look < 60; look++) {
    const nth = random.whole(0, minutes.length - 1);
    const minute = minutes[nth];
    if (minute !== undefined && minute.canary !== null && random.chance(0.5))
      minutes[nth] = { ...minute, canary: { ...minute.canary, errors: random.whole(0, 40) } };
    const seen = minutes.slice(0, random.whole(0, minutes.length));
    const now = (seen.at(-1)?.startMs ?? 0) + 120_000;
    const input = {
      ...{ policy: plan.settings.analysis, baseline: plan.baseline, minutes: seen, now, weight: 10 },
      ...{ stepStartedAt: now - 180_000, stepEndsAt: now, checksDue: 'step-end' as const },
    };
    expect(told(rememberedAnalysis(input))).toEqual(told(analyse(input)));
  }
});
