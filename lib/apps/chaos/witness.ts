/**
 * Writes down what really happens, from outside: every move of the balancer and of the tasks with who made
 * it, who looked when, and when each event came to stand. It reads many times a second, so a moment is known
 * to about a tenth of a second.
 */
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import type { Slot } from '../../../events/target.ts';
import type { Call } from '../../local/faults.ts';
import type { Shift } from '../../sim/balancer.ts';
import type { SlotChange } from '../../sim/slots.ts';
import { type Stage, stream } from './stage.ts';

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
  stop(): Promise<void>;
};

const everyMs = 80;
const slots = ['blue', 'green'] as const;

export async function watch(stage: Stage): Promise<Witness> {
  const { cloud, target } = stage;
  const ecs = new ECSClient(stage.at);
  const writes: Write[] = [];
  const looks: { at: number; by: string }[] = [];
  const marks: { at: number; slot: Slot }[] = [];
  const shifts: Shift[] = [];
  const changes: Record<Slot, SlotChange[]> = { blue: [], green: [] };
  const appendedAt: number[] = [];
  const bornAt = new Map<string, number>();
  let lastLook = Date.now();

  const observe = (input: Call['input'], call: Call): false => {
    const by = nameOf(call.caller);
    const at = Date.now();
    if (!bornAt.has(by)) bornAt.set(by, at);
    if (call.operation === 'DescribeRules') looks.push({ at, by });
    if (call.operation === 'ModifyRule' || call.operation === 'UpdateService')
      writes.push({ at, by, says: JSON.stringify(input) });
    return false;
  };
  const forget = cloud.faults.add({ input: observe, fault: { kind: 'reset' } });

  /** Who last wrote what is there now. */
  const writerOf = (says: (text: string) => boolean): Write =>
    writes.findLast((write) => says(write.says)) ?? { at: Date.now(), by: 'the beginning', says: '' };

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
      const found = described.services?.find(({ serviceName }) => serviceName === target.services[slot]);
      const { desiredCount: desired = 0, taskDefinition: revision = '' } = found ?? {};
      const last = changes[slot].at(-1);
      if (last?.desired === desired && last.revision === revision) continue;
      const { by } = writerOf((text) => text.includes(`"${target.services[slot]}"`));
      changes[slot].push({ at: began, revision, desired, by, automatic: isAutomatic(by) });
    }
    const last = shifts.at(-1)?.reading;
    if (JSON.stringify(last) !== JSON.stringify(reading)) {
      const weight = reading.kind === 'weights' ? reading.greenWeight : null;
      const { at: sentAt, by } = writerOf(
        (text) =>
          weight === null ||
          new RegExp(`${target.targetGroups.green}","Weight":"?${weight}\\b`).test(text) ||
          new RegExp(`"Weight":"?${weight}"?,"TargetGroupArn":"${target.targetGroups.green}`).test(text),
      );
      const tasks = {
        blue: changes.blue.at(-1)?.desired ?? 0,
        green: changes.green.at(-1)?.desired ?? 0,
      };
      shifts.push({ at: began, sentAt, reading, by, automatic: isAutomatic(by), tasks });
    }
    if (mark !== null && mark !== marks.at(-1)?.slot) marks.push({ at: began, slot: mark });
    while (appendedAt.length < version) appendedAt.push(lastLook);
    lastLook = began;
  }

  let stopped = false;
  await look();
  const watching = (async () => {
    while (!stopped) {
      await look().catch(() => undefined); // the cloud is busy: the next look is soon
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  })();
  return {
    shifts,
    looks,
    marks,
    changes,
    appendedAt,
    bornAt,
    async stop() {
      stopped = true;
      forget();
      await watching;
    },
  };
}

/** `shift-traffic#1a2b…`: one process of a function; anybody else by the name they sign with. */
function nameOf(caller: string): string {
  const found = /^fn-switchback-dev-(.+)-([0-9a-f]+)$/.exec(caller);
  return found === null ? caller : `${found[1]}#${found[2]}`;
}

/** People and the fire exit are not; they write where and what they will. */
const isAutomatic = (by: string): boolean => by.includes('#') && !by.startsWith('fall-back#');
