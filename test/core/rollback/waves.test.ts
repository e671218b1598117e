import { describe, expect, it } from 'vitest';
import { affectedBy, blastRadius, foundationsOf, wavesOf } from '../../../lib/core/rollback/waves.ts';

const smith = [
  { service: 'orchestrator', dependsOn: [] },
  { service: 'agent', dependsOn: ['orchestrator'] },
  { service: 'discovery-engine', dependsOn: ['orchestrator', 'agent'] },
  { service: 'billing', dependsOn: [] },
];

describe('waves', () => {
  it('follow what depends on what; independent services share one', () => {
    expect(wavesOf(smith)).toEqual([['orchestrator', 'billing'], ['agent'], ['discovery-engine']]);
  });

  it('leave out who does not take part', () => {
    expect(wavesOf(smith.slice(1, 3))).toEqual([['agent'], ['discovery-engine']]);
  });

  it('cannot be made of a cycle, and the sentence names it', () => {
    const circle = [
      { service: 'a', dependsOn: [] },
      { service: 'b', dependsOn: ['a', 'd'] },
      { service: 'c', dependsOn: ['b'] },
      { service: 'd', dependsOn: ['c'] },
    ];
    expect(wavesOf(circle)).toMatchObject({
      reason: 'cycle',
      sentence: 'b → d → c → b is a cycle: one of them must not depend on the next.',
    });
  });
});

describe('who goes back', () => {
  it('is the failed one with everybody who depends on it, dependents first', () => {
    expect(affectedBy(smith, ['orchestrator'])).toEqual(['discovery-engine', 'agent', 'orchestrator']);
    expect(affectedBy(smith, ['agent'])).toEqual(['discovery-engine', 'agent']);
    expect(affectedBy(smith, ['billing'])).toEqual(['billing']);
  });

  it('is said in one sentence', () => {
    expect(blastRadius(affectedBy(smith, ['orchestrator']), ['orchestrator'])).toBe(
      'orchestrator goes back, so discovery-engine and agent go first',
    );
    expect(blastRadius(['billing'], ['billing'])).toBe('billing goes back, and nobody else');
    expect(blastRadius(['discovery-engine', 'agent', 'orchestrator'], ['discovery-engine'])).toBe(
      'discovery-engine goes back, then agent and orchestrator',
    );
  });

  it('rests on its foundations, near and far', () => {
    expect([...foundationsOf(smith, 'discovery-engine')]).toEqual(['orchestrator', 'agent']);
  });
});
