/**
 * Writes down what really happens to one service, from outside: every move of the balancer and of the tasks
 * with who made it, who looked when, and when each event came to stand. It reads many times a second, so a
 * moment is known to about a tenth of a second.
 */
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import type { Slot } from '../../../events/target.ts';
import type { Call } from '../../local/faults.ts';
import type { Shift } from '../../sim/balancer.ts';
import type { SlotChange } from '../../sim/slots.ts';
import type { Shop, Stage } from './stage.ts';

type Write = { readonly at: number; readonly by: string; readonly says: string };

export type Witness = {
  readonly shifts: readonly Shift[];
  readonly looks: readonly { readonly at: number; readonly by: string }[];
  readonly marks: readonly { readonly at: number; readonly slot: Slot }[];
  readonly changes: Readonly<Record<Slot, readonly SlotChange[]>>;
  /** When the stream's events came to stand, at the earliest, epoch milliseconds. */
  readonly appendedAt: readonly number[];
  /** When each process of a function made its first call. */
  readonly bornAt: ReadonlyMap<string, number>;
  /** The longest time between two looks since `at`, milliseconds: so busy was the machine. */
  blinkMs(at: number): number;
  /** Lets go of what was seen before `at`, but for what stood then. */
  forget(at: number): void;
  stop(): Promise<void>;
};

const everyMs = 80;
/** A shorter time between two looks is nothing to remember. */
const blinkMsMin = 500;
const slots = ['blue', 'green'] as const;
const watched = new Set(['DescribeRules', 'ModifyRule', 'UpdateService']);

export async function watch(stage: Stage, shop: Shop): Promise<Witness> {
  const { target, stream } = shop;
  const ecs = new ECSClient(stage.at);
  const seen = new Seen();
  const isOurs = [target.ruleArn, ...Object.values(target.services).map((name) => `"${name}"`)];

  const observe = (input: Call['input'], call: Call): false => {
    const by = nameOf(call.caller);
    const at = Date.now();
    if (!seen.bornAt.has(by)) seen.bornAt.set(by, at);
    if (!watched.has(call.operation)) return false;
    const says = JSON.stringify(input);
    if (!isOurs.some((name) => says.includes(name))) return false;
    if (call.operation === 'DescribeRules') seen.looks.push({ at, by });
    else seen.writes.push({ at, by, says });
    return false;
  };
  const forget = stage.cloud.faults.add({ input: observe, fault: { kind: 'reset' } });

  async function look(): Promise<void> {
    const began = Date.now();
    const [reading, { version }, described, mark] = await Promise.all([
      stage.traffic.read(target),
      stage.store.head(stream),
      ecs.send(
        new DescribeServicesCommand({ cluster: target.cluster, services: Object.values(target.services) }),
      ),
      stage.traffic.stableMark(target),
    ]);
    for (const slot of slots) {
      const name = target.services[slot];
      const found = described.services?.find(({ serviceName }) => serviceName === name);
      const { desiredCount: desired = 0, taskDefinition: revision = '' } = found ?? {};
      seen.noteTasks(slot, name, { at: began, revision, desired });
    }
    seen.noteTraffic(reading, target.targetGroups.green, began);
    if (mark !== null && mark !== seen.marks.at(-1)?.slot) seen.marks.push({ at: began, slot: mark });
    while (seen.appendedAt.length < version) seen.appendedAt.push(seen.lastLook);
    if (began - seen.lastLook > blinkMsMin) seen.blinks.push({ at: began, ms: began - seen.lastLook });
    seen.lastLook = began;
  }

  let stopped = false;
  await look();
  const watching = (async () => {
    while (!stopped) {
      await look().catch(() => undefined); // the cloud is busy: the next look is soon
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  })();
  return Object.assign(seen, {
    async stop() {
      stopped = true;
      forget();
      await watching;
    },
  });
}

class Seen {
  shifts: Shift[] = [];
  looks: { at: number; by: string }[] = [];
  marks: { at: number; slot: Slot }[] = [];
  readonly changes: Record<Slot, SlotChange[]> = { blue: [], green: [] };
  readonly appendedAt: number[] = [];
  readonly bornAt = new Map<string, number>();
  writes: Write[] = [];
  blinks: { readonly at: number; readonly ms: number }[] = [];
  lastLook = Date.now();

  blinkMs(since: number): number {
    return Math.max(0, ...this.blinks.filter(({ at }) => at >= since).map(({ ms }) => ms));
  }

  noteTasks(slot: Slot, name: string, now: { at: number; revision: string; desired: number }): void {
    const last = this.changes[slot].at(-1);
    if (last?.desired === now.desired && last.revision === now.revision) return;
    const { by } = this.#writerOf((text) => text.includes(`"${name}"`), now.at);
    this.changes[slot].push({ ...now, by, automatic: isAutomatic(by) });
  }

  noteTraffic(reading: Shift['reading'], greenArn: string, at: number): void {
    const last = this.shifts.at(-1)?.reading;
    if (JSON.stringify(last) === JSON.stringify(reading)) return;
    const weight = reading.kind === 'weights' ? reading.greenWeight : null;
    const { at: sentAt, by } = this.#writerOf(
      (text) =>
        weight === null ||
        new RegExp(`${greenArn}","Weight":"?${weight}\\b`).test(text) ||
        new RegExp(`"Weight":"?${weight}"?,"TargetGroupArn":"${greenArn}`).test(text),
      at,
    );
    const tasks = {
      blue: this.changes.blue.at(-1)?.desired ?? 0,
      green: this.changes.green.at(-1)?.desired ?? 0,
    };
    this.shifts.push({ at, sentAt, reading, by, automatic: isAutomatic(by), tasks });
  }

  forget(at: number): void {
    const from = <T extends { readonly at: number }>(all: readonly T[]): T[] =>
      all.slice(
        Math.max(
          0,
          all.findLastIndex((one) => one.at <= at),
        ),
      );
    this.shifts = from(this.shifts);
    this.looks = from(this.looks);
    this.marks = from(this.marks);
    this.blinks = from(this.blinks);
    this.writes = from(this.writes);
    for (const slot of slots) this.changes[slot] = from(this.changes[slot]);
    const writers = new Set([...this.writes, ...this.looks, ...this.shifts].map(({ by }) => by));
    for (const [by, born] of this.bornAt) if (born < at && !writers.has(by)) this.bornAt.delete(by);
  }

  /** Who last wrote what is there now. */
  #writerOf(says: (text: string) => boolean, at: number): Write {
    return this.writes.findLast((write) => says(write.says)) ?? { at, by: 'the beginning', says: '' };
  }
}

/** `shift-traffic#1a2b…`: one process of a function; anybody else by the name they sign with. */
function nameOf(caller: string): string {
  const found = /^fn-switchback-dev-(.+)-([0-9a-f]+)$/.exec(caller);
  return found === null ? caller : `${found[1]}#${found[2]}`;
}

/** People and the fire exit are not; they write where and what they will. */
const isAutomatic = (by: string): boolean => by.includes('#') && !by.startsWith('fall-back#');
