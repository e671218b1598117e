/**
 * Writes down what really happens to one service: every move of the balancer and of the tasks with who made
 * it, who looked when, and when each event came to stand. It stands inside the cloud, where operations are
 * carried out, so that what was done late, or done and never answered, is seen at its moment.
 */
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Slot } from '../../../events/target.ts';
import { awsTraffic } from '../../aws/targets.ts';
import type { Call } from '../../local/faults.ts';
import type { LocalService, Operation, RequestContext } from '../../local/service.ts';
import type { Shift } from '../../sim/balancer.ts';
import type { SlotChange } from '../../sim/slots.ts';
import type { Shop, Stage } from './stage.ts';

export type Witness = {
  readonly shifts: readonly Shift[];
  readonly looks: readonly { readonly at: number; readonly by: string }[];
  readonly marks: readonly { readonly at: number; readonly slot: Slot }[];
  readonly changes: Readonly<Record<Slot, readonly SlotChange[]>>;
  /** When the stream's events came to stand, epoch milliseconds. */
  readonly appendedAt: readonly number[];
  /** When each process of a function made its first call. */
  readonly bornAt: ReadonlyMap<string, number>;
  /** The longest that the machine had no time to look since `at`, milliseconds. */
  blinkMs(at: number): number;
  /** Lets go of what was seen before `at`, but for what stood then. */
  forget(at: number): void;
  stop(): void;
};

/** Tasks that nobody asked for by a call, but autoscaling did, are seen so late at the most. */
const everyMs = 100;
/** A shorter time between two looks is nothing to remember. */
const blinkMsMin = 500;
const slots = ['blue', 'green'] as const;
const nobody = { region: 'eu-west-1', account: '000000000000', requestId: 'witness', accessKeyId: 'witness' };

export async function watch(stage: Stage, shop: Shop): Promise<Witness> {
  const { cloud } = stage;
  const { target } = shop;
  const seen = new Seen();
  const sent = new WeakMap<object, number>();
  const observe = (input: Call['input'], { caller }: Call): false => {
    const by = nameOf(caller);
    sent.set(input, Date.now());
    if (!seen.bornAt.has(by)) seen.bornAt.set(by, Date.now());
    return false;
  };
  const forget = cloud.faults.add({ input: observe, fault: { kind: 'reset' } });
  const { elb, ecs } = cloud;
  const notice = {
    async traffic(output: unknown, by: string, sentAt: number) {
      seen.noteTraffic(await trafficIn(output).read(target), by, sentAt);
    },
    async mark() {
      const tags = elb.operations.DescribeTags?.({ ResourceArns: [target.targetGroups.blue] }, nobody);
      const slot = await trafficIn(tags).stableMark(target);
      if (slot !== null && slot !== seen.marks.at(-1)?.slot) seen.marks.push({ at: Date.now(), slot });
    },
    tasks(by: string) {
      const asked = { cluster: target.cluster, services: Object.values(target.services) };
      const found = ecs.operations.DescribeServices?.(asked, nobody) as Described;
      for (const { serviceName, desiredCount: desired, taskDefinition: revision } of found.services)
        for (const slot of slots)
          if (target.services[slot] === serviceName) seen.noteTasks(slot, { revision, desired }, by);
    },
  };
  notice.tasks('the beginning');
  const rules = elb.operations.DescribeRules?.({ RuleArns: [target.ruleArn] }, nobody);
  await notice.traffic(rules, 'the beginning', Date.now());
  await notice.mark();
  after(elb, 'ModifyRule', ({ RuleArn }, output, context, input) => {
    if (RuleArn !== target.ruleArn) return;
    void notice.traffic(output, nameOf(context.accessKeyId), sent.get(input) ?? Date.now());
  });
  after(elb, 'DescribeRules', ({ RuleArns }, _, { accessKeyId }) => {
    if ((RuleArns as readonly string[] | undefined)?.includes(target.ruleArn))
      seen.looks.push({ at: Date.now(), by: nameOf(accessKeyId) });
  });
  after(elb, 'AddTags', () => void notice.mark());
  after(ecs, 'UpdateService', (_, __, { accessKeyId }) => notice.tasks(nameOf(accessKeyId)));
  hearAppends(stage, shop, seen);
  const timer = setInterval(() => {
    seen.look();
    notice.tasks('autoscaling');
  }, everyMs);
  return Object.assign(seen, {
    stop() {
      clearInterval(timer);
      forget();
    },
  });
}

type Described = {
  readonly services: readonly {
    readonly serviceName: string;
    readonly desiredCount: number;
    readonly taskDefinition: string;
  }[];
};

/** What the product reads from such an answer. */
const trafficIn = (output: unknown) =>
  awsTraffic({ send: async () => output } as unknown as ElasticLoadBalancingV2Client, async () => undefined);

type Heard = (
  named: Readonly<Record<string, unknown>>,
  output: unknown,
  context: RequestContext,
  input: object,
) => void;

/** Tells of every call that an operation has carried out. */
function after({ operations }: LocalService, name: string, tell: Heard): void {
  const own = operations[name] as Operation;
  (operations as Record<string, Operation>)[name] = (input, context) => {
    const output = own(input, context);
    tell(input, output, context, input);
    return output;
  };
}

/** The HEAD of a stream holds its version: once it is put, the events stand. */
function hearAppends({ cloud: { tables } }: Stage, { stream }: Shop, seen: Seen): void {
  const run = tables.run.bind(tables);
  tables.run = async (operation, input) => {
    const output = await run(operation, input);
    const { pk, sk, v } = (input.Item ?? {}) as Readonly<Record<string, { S?: string; N?: string }>>;
    if (operation !== 'PutItem' || pk?.S !== `S#${stream}` || sk?.N !== '0') return output;
    while (seen.appendedAt.length < Number(v?.N)) seen.appendedAt.push(Date.now());
    return output;
  };
}

class Seen {
  shifts: Shift[] = [];
  looks: { at: number; by: string }[] = [];
  marks: { at: number; slot: Slot }[] = [];
  readonly changes: Record<Slot, SlotChange[]> = { blue: [], green: [] };
  readonly appendedAt: number[] = [];
  readonly bornAt = new Map<string, number>();
  #blinks: { readonly at: number; readonly ms: number }[] = [];
  #lastLook = Date.now();

  look(): void {
    const at = Date.now();
    if (at - this.#lastLook > blinkMsMin) this.#blinks.push({ at, ms: at - this.#lastLook });
    this.#lastLook = at;
  }

  blinkMs(since: number): number {
    return Math.max(0, ...this.#blinks.filter(({ at }) => at >= since).map(({ ms }) => ms));
  }

  noteTasks(slot: Slot, now: { readonly revision: string; readonly desired: number }, by: string): void {
    const last = this.changes[slot].at(-1);
    if (last?.desired === now.desired && last.revision === now.revision) return;
    this.changes[slot].push({ ...now, at: Date.now(), by, automatic: isAutomatic(by) });
  }

  noteTraffic(reading: Shift['reading'], by: string, sentAt: number): void {
    if (JSON.stringify(this.shifts.at(-1)?.reading) === JSON.stringify(reading)) return;
    const tasks = {
      blue: this.changes.blue.at(-1)?.desired ?? 0,
      green: this.changes.green.at(-1)?.desired ?? 0,
    };
    this.shifts.push({ at: Date.now(), sentAt, reading, by, automatic: isAutomatic(by), tasks });
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
    this.#blinks = from(this.#blinks);
    for (const slot of slots) this.changes[slot] = from(this.changes[slot]);
    const named = new Set([...this.looks, ...this.shifts].map(({ by }) => by));
    for (const [by, born] of this.bornAt) if (born < at && !named.has(by)) this.bornAt.delete(by);
  }
}

/** `shift-traffic#1a2b…`: one process of a function; anybody else by the name they sign with. */
function nameOf(caller: string): string {
  const found = /^fn-switchback-dev-(.+)-([0-9a-f]+)$/.exec(caller);
  return found === null ? caller : `${found[1]}#${found[2]}`;
}

/** People and the fire exit are not; they write where and what they will. */
const isAutomatic = (by: string): boolean => by.includes('#') && !by.startsWith('fall-back#');
