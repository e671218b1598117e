import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MigrationEvent } from '../../../events/migration.ts';
import { OperationEvent } from '../../../events/operation.ts';
import { migrationNames, outward } from '../../../events/outward.ts';
import { Recorded, schemaVersions, upcast } from '../../../events/recorded.ts';
import { ServiceEvent } from '../../../events/service.ts';
import { sample } from './payloads.ts';

const folder = new URL('../../../events/samples/', import.meta.url);
const typesOf = (union: { readonly def: { readonly options: readonly unknown[] } }): string[] =>
  (union.def.options as { def: { shape: { type: { def: { values: string[] } } } } }[]).map(
    (option) => option.def.shape.type.def.values[0] as string,
  );
const serviceTypes = typesOf(ServiceEvent);
const migrationTypes = typesOf(MigrationEvent);
const operationTypes = typesOf(OperationEvent);

describe('every event of ours has a sample of each shape it ever had', () => {
  const samplesOf = (type: string) =>
    Array.from(
      { length: schemaVersions[type] ?? 1 },
      (_, index) => [`${type}.${index + 1}`, type, index + 1] as const,
    );

  it.each(serviceTypes.flatMap(samplesOf))('%s reads as today’s service event', (name, type, schema) => {
    const event = upcast({ type, schema, event: sample(name) });
    expect(ServiceEvent.parse(event)).toEqual(event);
    expect(event.type).toBe(type);
  });

  it.each(migrationTypes.flatMap(samplesOf))('%s reads as today’s migration event', (name, type, schema) => {
    const event = upcast({ type, schema, event: sample(name) });
    expect(MigrationEvent.parse(event)).toEqual(event);
    expect(event.type).toBe(type);
  });

  it.each(operationTypes.flatMap(samplesOf))('%s reads as today’s operation event', (name, type, schema) => {
    const event = upcast({ type, schema, event: sample(name) });
    expect(OperationEvent.parse(event)).toEqual(event);
    expect(event.type).toBe(type);
  });

  it('and no other', () => {
    const numbered = readdirSync(folder).filter((name) => /\.\d+\.json$/.test(name));
    expect(numbered.map((name) => name.split('.')[0]).sort()).toEqual(
      [...serviceTypes, ...migrationTypes, ...operationTypes].sort(),
    );
  });

  it('a record of one is a record', () => {
    expect(Recorded.parse(sample('Recorded'))).toEqual(sample('Recorded'));
    expect(ServiceEvent.safeParse(sample('Recorded').event).success).toBe(true);
  });
});

describe('an older shape', () => {
  const versions = { TrafficShifted: 3 };
  const steps = {
    TrafficShifted: {
      1: ({ percent, ...rest }: Record<string, unknown>) => ({ ...rest, share: percent }),
      2: ({ share, ...rest }: Record<string, unknown>) => ({ ...rest, weight: share }),
    },
  };
  const { weight, ...common } = sample('TrafficShifted.1');
  const read = (schema: number, event: Record<string, unknown>) =>
    upcast({ type: 'TrafficShifted', schema, event }, versions, steps);

  it('is read as today’s, one version after the other', () => {
    const today = { ...common, weight };
    expect(read(1, { ...common, percent: weight })).toEqual(today);
    expect(read(2, { ...common, share: weight })).toEqual(today);
    expect(read(3, today)).toEqual(today);
    expect(ServiceEvent.parse(read(1, { ...common, percent: weight }))).toEqual(today);
  });

  it('that nobody can read says which step is missing', () => {
    expect(() => upcast({ type: 'TrafficShifted', schema: 1, event: common }, versions, {})).toThrow(
      'no upcast of TrafficShifted from schema 1 to 2',
    );
  });

  it('of the future says what to do', () => {
    expect(() => read(4, common)).toThrow(
      'was written with schema 4, this version knows 3: deploy the newer version',
    );
  });

  it('of a type without versions is the first', () => {
    expect(upcast({ type: 'RolloutStarted', schema: 1, event: common })).toBe(common);
    expect(() => upcast({ type: 'RolloutStarted', schema: 2, event: common })).toThrow(
      'this version knows 1',
    );
  });
});

describe('what other machines get', () => {
  const recorded = Recorded.parse(sample('Recorded'));

  it('is the whole record with its stream and the agreed name, under its type', () => {
    expect(outward('service/orchestrator', recorded)).toEqual({
      source: 'switchback',
      detailType: 'RollbackInitiated',
      detail: { stream: 'service/orchestrator', name: 'rollback_initiated', ...recorded },
    });
  });

  it('goes by its type alone where no name was agreed', () => {
    const shifted = { ...recorded, event: sample('TrafficShifted.1') as Recorded['event'] };
    expect(outward('service/orchestrator', shifted)).toMatchObject({ detailType: 'TrafficShifted' });
    expect(outward('service/orchestrator', shifted).detail).not.toHaveProperty('name');
  });

  it('has the five agreed names, each for an event of ours', () => {
    expect([...new Set(Object.values(migrationNames))].sort()).toEqual([
      ...['component_migrated', 'health_check_failed', 'migration_completed', 'migration_started'],
      'rollback_initiated',
    ]);
    expect([...serviceTypes, ...migrationTypes]).toEqual(expect.arrayContaining(Object.keys(migrationNames)));
  });
});
