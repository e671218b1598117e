/**
 * All alarms, kept up to date: each metric alarm looks at its metric at its own cadence, composites follow
 * their children at once, and every change of state is recorded, published and acted upon, in that order.
 */
import type { StateValue } from '@aws-sdk/client-cloudwatch';
import type { Clock } from '../../asl/clock.ts';
import type { Place, Publish } from '../cloudEvent.ts';
import { type AlarmRule, evaluationRange, judge, type MissingData, type Slot } from './alarmEvaluation.ts';
import { eventOf, lambdaPayloadOf, type StateChange, snsMessageOf, subjectOf } from './alarmNotices.ts';
import { reasonDataOf, reasonOf } from './alarmReason.ts';
import {
  type Alarm,
  type AlarmState,
  type CompositeAlarm,
  type HistoryItem,
  type MetricAlarm,
  stampOf,
  typeOf,
} from './alarmRecord.ts';
import { alarmsIn, ruleHolds } from './compositeRule.ts';
import { evaluateQueries } from './metricQueries.ts';
import type { MetricStore } from './metricStore.ts';
import { isPercentile } from './statistics.ts';

/** An alarm's action: an SNS message with its subject, or the payload for a Lambda function. */
export type Notice = { readonly arn: string; readonly payload: string; readonly subject: string };

export type AlarmWorld = {
  readonly clock: Clock;
  readonly place: Place;
  readonly store: MetricStore;
  readonly publish: Publish;
  /** Carries out an action; a rejection is written into the alarm's history. */
  readonly notify: (notice: Notice) => Promise<void>;
};

/** The oldest history goes first; CloudWatch keeps it for 30 days. */
const HISTORY_MAX = 10_000;

export class AlarmBook {
  readonly #world: AlarmWorld;
  readonly #alarms = new Map<string, Alarm>();
  readonly #timers = new Map<string, () => void>();
  readonly #history: HistoryItem[] = [];

  constructor(world: AlarmWorld) {
    this.#world = world;
  }

  get(name: string): Alarm | undefined {
    return this.#alarms.get(name);
  }

  all(): readonly Alarm[] {
    return [...this.#alarms.values()];
  }

  /** Oldest first. */
  get history(): readonly HistoryItem[] {
    return this.#history;
  }

  /** Creates the alarm or replaces its configuration; the state of an existing one stays. */
  put(alarm: Alarm): void {
    const old = this.#alarms.get(alarm.name);
    if (old) {
      alarm.state = old.state;
      alarm.tags = old.tags;
    }
    this.#alarms.set(alarm.name, alarm);
    this.#record(alarm, 'ConfigurationUpdate', `Alarm "${alarm.name}" ${old ? 'updated' : 'created'}`, {});
    this.#timers.get(alarm.name)?.();
    if (alarm.kind === 'metric') this.#evaluateLater(alarm);
    else this.#evaluateComposite(alarm, alarm);
  }

  delete(name: string): void {
    const alarm = this.#alarms.get(name);
    if (!alarm) return;
    this.#timers.get(name)?.();
    this.#timers.delete(name);
    this.#alarms.delete(name);
    this.#record(alarm, 'ConfigurationUpdate', `Alarm "${name}" deleted`, {});
  }

  /** Moves the alarm; where the value really changes, tells the bus, the composites above and the actions. */
  setState(alarm: Alarm, next: { value: StateValue; reason: string; reasonData: string | undefined }): void {
    const previous = alarm.state;
    alarm.state = { ...next, updatedMs: this.#world.clock.now() };
    if (previous.value === next.value) return;
    const change: StateChange = { alarm, previous };
    this.#record(alarm, 'StateUpdate', `Alarm updated from ${previous.value} to ${next.value}`, {
      oldState: historyState(previous),
      newState: historyState(alarm.state),
    });
    this.#world.publish(eventOf(change));
    for (const other of this.#alarms.values())
      if (other.kind === 'composite' && alarmsIn(other.rule).includes(alarm.name))
        this.#evaluateComposite(other, alarm);
    if (alarm.actionsEnabled) for (const arn of alarm.actions[next.value]) void this.#act(arn, change);
  }

  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /**
   * Periods from 60 s on are looked at once a minute, shorter ones every 10 s (CloudWatch user guide, "Alarm
   * evaluation"), those below 10 s every period. A tenth of the cadence after the full mark, so that what a
   * metric publishes on the mark is seen.
   */
  #evaluateLater(alarm: MetricAlarm): void {
    const cadenceMs = cadenceSeconds(alarm.periodSeconds) * 1000;
    const offsetMs = cadenceMs / 10;
    const now = this.#world.clock.now();
    const nextMs = (Math.floor((now - offsetMs) / cadenceMs) + 1) * cadenceMs + offsetMs;
    const cancel = this.#world.clock.schedule(nextMs - now, () => {
      if (this.#alarms.get(alarm.name) !== alarm) return;
      this.#evaluateLater(alarm);
      this.#evaluateMetric(alarm);
    });
    this.#timers.set(alarm.name, cancel);
  }

  #evaluateMetric(alarm: MetricAlarm): void {
    const nowMs = this.#world.clock.now();
    const slots = slotsOf(this.#world.store, alarm, nowMs);
    const rule = ruleOf(alarm);
    const judgement = judge(slots, rule);
    if (judgement.state === 'keep' || judgement.state === alarm.state.value) return;
    if (tooFewSamples(this.#world.store, alarm, nowMs)) return;
    const reasonData = reasonDataOf(alarm, judgement, slots, nowMs);
    this.setState(alarm, { value: judgement.state, reason: reasonOf(judgement, rule), reasonData });
  }

  /** `cause`: the alarm whose change is the reason; the composite itself when it was just configured. */
  #evaluateComposite(alarm: CompositeAlarm, cause: Alarm): void {
    const value = ruleHolds(alarm.rule, (name) => this.#alarms.get(name)?.state.value ?? null)
      ? 'ALARM'
      : 'OK';
    if (value === alarm.state.value) return;
    const { arn, state } = cause;
    const triggering = { arn, state: { value: state.value, timestamp: stampOf(state.updatedMs) } };
    const reason =
      cause === alarm
        ? `${alarm.arn} was created and its alarm rule evaluates to ${value}`
        : `${arn} transitioned to ${state.value} at ${longDate(state.updatedMs)}`;
    const reasonData = JSON.stringify({ triggeringAlarms: cause === alarm ? [] : [triggering] });
    this.setState(alarm, { value, reason, reasonData });
  }

  async #act(arn: string, change: StateChange): Promise<void> {
    const { place, notify } = this.#world;
    const payload =
      arn.split(':')[2] === 'lambda'
        ? lambdaPayloadOf(change, place)
        : snsMessageOf(change, place, this.all());
    const { name } = change.alarm;
    try {
      await notify({ arn, payload, subject: subjectOf(change, place) });
      this.#record(change.alarm, 'Action', `Successfully executed action ${arn}`, { alarmName: name });
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      this.#record(change.alarm, 'Action', `Failed to execute action ${arn}. Received error: "${said}"`, {
        error: said,
      });
    }
  }

  #record(alarm: Alarm, type: HistoryItem['type'], summary: string, data: Record<string, unknown>): void {
    this.#history.push({
      alarmName: alarm.name,
      alarmType: typeOf(alarm),
      atMs: this.#world.clock.now(),
      type,
      summary,
      data: JSON.stringify({ version: '1.0', ...data }),
    });
    if (this.#history.length > HISTORY_MAX) this.#history.shift();
  }
}

const cadenceSeconds = (periodSeconds: number): number =>
  periodSeconds >= 60 ? 60 : Math.min(10, periodSeconds);

const ruleOf = ({ settings, evaluationPeriods, datapointsToAlarm }: MetricAlarm): AlarmRule => ({
  operator: settings.ComparisonOperator ?? 'GreaterThanThreshold',
  threshold: settings.Threshold ?? 0,
  evaluationPeriods,
  datapointsToAlarm,
  // "Alarms that evaluate metrics in the AWS/DynamoDB namespace always ignore missing data" (PutMetricAlarm).
  missingData:
    settings.Namespace === 'AWS/DynamoDB'
      ? 'ignore'
      : ((settings.TreatMissingData ?? 'missing') as MissingData),
});

function rangeOf(alarm: MetricAlarm, nowMs: number) {
  const cadenceMs = cadenceSeconds(alarm.periodSeconds) * 1000;
  const endMs = Math.floor(nowMs / cadenceMs) * cadenceMs;
  const startMs = endMs - evaluationRange(alarm.evaluationPeriods) * alarm.periodSeconds * 1000;
  return { startMs, endMs, exact: true };
}

function slotsOf(store: MetricStore, alarm: MetricAlarm, nowMs: number): Slot[] {
  const range = rangeOf(alarm, nowMs);
  const watched = evaluateQueries(store, alarm.queries, range).find(({ id }) => id === alarm.watchedId);
  const slots: Slot[] = [];
  for (let atMs = range.startMs; atMs < range.endMs; atMs += alarm.periodSeconds * 1000)
    slots.push({ atMs, value: watched?.series[0]?.points.get(atMs) ?? null });
  return slots;
}

/**
 * `EvaluateLowSampleCountPercentile: ignore`: below 10/(1−p) samples a percentile changes nothing (user
 * guide).
 */
function tooFewSamples(store: MetricStore, alarm: MetricAlarm, nowMs: number): boolean {
  const stat = alarm.settings.ExtendedStatistic;
  if (alarm.settings.EvaluateLowSampleCountPercentile !== 'ignore' || !stat || !isPercentile(stat))
    return false;
  const counting = alarm.queries.map((query) =>
    query.MetricStat ? { ...query, MetricStat: { ...query.MetricStat, Stat: 'SampleCount' } } : query,
  );
  const series = evaluateQueries(store, counting, rangeOf(alarm, nowMs))[0]?.series[0];
  const samples = [...(series?.points.values() ?? [])].reduce((sum, count) => sum + count, 0);
  const fraction = Number(stat.slice(1)) / 100;
  return samples < 10 / (fraction >= 0.5 ? 1 - fraction : fraction);
}

const historyState = (state: AlarmState) => ({
  stateValue: state.value,
  stateReason: state.reason,
  ...(state.reasonData !== undefined && { stateReasonData: JSON.parse(state.reasonData) }),
});

/** `Friday 22 July, 2022 15:57:45 UTC`. */
function longDate(ms: number): string {
  const date = new Date(ms);
  const word = (options: Intl.DateTimeFormatOptions) =>
    date.toLocaleDateString('en-GB', { ...options, timeZone: 'UTC' });
  const day =
    `${word({ weekday: 'long' })} ${date.getUTCDate()} ${word({ month: 'long' })}, ` +
    `${date.getUTCFullYear()}`;
  return `${day} ${date.toISOString().slice(11, 19)} UTC`;
}
