/**
 * The bridge's numbers as Prometheus text (exposition format 0.0.4). Labels come from the configuration only.
 */

import { memoryUsage } from 'node:process';
import type { NatsLink } from '../../nats/natsLink.ts';
import type { Bridge } from './bridge.ts';
import type { BridgeMetrics, Histogram, ReverseMetrics, TargetMetrics } from './metrics.ts';

type Labels = Readonly<Record<string, string>>;

/** Lines gathered by metric: the format wants all lines of a metric in one group. */
class Page {
  readonly #groups = new Map<string, string[]>();

  add(kind: 'counter' | 'gauge', name: string, help: string, value: number, labels: Labels = {}): void {
    this.#group(kind, name, help).push(
      `${name}${labelled(labels)} ${Number.isFinite(value) ? value : '+Inf'}`,
    );
  }

  histogram(name: string, help: string, histogram: Histogram, labels: Labels): void {
    const lines = this.#group('histogram', name, help);
    let sum = 0;
    for (const [index, bound] of histogram.bounds.entries()) {
      sum += histogram.counts[index] as number;
      lines.push(`${name}_bucket${labelled({ ...labels, le: String(bound) })} ${sum}`);
    }
    lines.push(`${name}_bucket${labelled({ ...labels, le: '+Inf' })} ${histogram.count}`);
    lines.push(
      `${name}_sum${labelled(labels)} ${histogram.sum}`,
      `${name}_count${labelled(labels)} ${histogram.count}`,
    );
  }

  #group(kind: string, name: string, help: string): string[] {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const made = [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`];
    this.#groups.set(name, made);
    return made;
  }

  toString(): string {
    return `${[...this.#groups.values()].flat().join('\n')}\n`;
  }
}

function labelled(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) =>
      `${name}="${value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

export type ProcessState = { readonly ready: boolean; readonly link: NatsLink; readonly loopLagMs: number };

/** All metrics as they are now. */
export function prometheusText(bridge: Bridge, metrics: BridgeMetrics, process: ProcessState): string {
  const page = new Page();
  addTotals(page, metrics);
  addProcess(page, process);
  addSources(page, bridge);
  for (const [rule, { messages, bytes, dropped }] of metrics.rules) {
    page.add('counter', 'bridge_rule_messages_total', 'Messages a rule took.', messages, { rule });
    page.add('counter', 'bridge_rule_bytes_total', 'Bytes of payload a rule took.', bytes, { rule });
    page.add('counter', 'bridge_rule_dropped_total', 'Messages a rule dropped on purpose.', dropped, {
      rule,
    });
  }
  for (const [target, counted] of metrics.targets) addTarget(page, target, counted);
  addDispatchers(page, bridge);
  for (const [rule, counted] of metrics.reverse) addReverse(page, rule, counted);
  return page.toString();
}

function addTotals(page: Page, metrics: BridgeMetrics): void {
  const add = (name: string, help: string, value: number) =>
    page.add('counter', `bridge_${name}_total`, help, value);
  add('received', 'Messages received from NATS.', metrics.received);
  add('received_bytes', 'Bytes of payload received from NATS.', metrics.receivedBytes);
  add('unmatched', 'Messages that no rule took.', metrics.unmatched);
  add('dead_letters', 'Messages put aside with their reason.', metrics.deadLetters);
  add('dead_letter_retries', 'Failed attempts to put one aside.', metrics.deadLetterRetries);
  add('given_back', 'Messages returned to the server unsent.', metrics.givenBack);
  add('reloads', 'Configurations taken over while running.', metrics.reloads);
}

function addProcess(page: Page, { ready, link, loopLagMs }: ProcessState): void {
  const connected = link.connected ? 1 : 0;
  page.add('gauge', 'bridge_ready', 'Whether /ready answers 200.', ready ? 1 : 0);
  page.add('gauge', 'bridge_nats_connected', 'Whether the connection to NATS is up.', connected);
  page.add('counter', 'bridge_nats_reconnects_total', 'Connections to NATS made again.', link.reconnects);
  page.add('gauge', 'bridge_loop_lag_ms', 'How late the event loop last was.', loopLagMs);
  const { rss, heapUsed } = memoryUsage();
  page.add('gauge', 'process_resident_memory_bytes', 'Memory the process holds.', rss);
  page.add('gauge', 'nodejs_heap_used_bytes', 'Of these, in use by its objects.', heapUsed);
}

function addReverse(page: Page, rule: string, counted: ReverseMetrics): void {
  const add = (name: string, help: string, value: number) =>
    page.add('counter', `bridge_reverse_${name}_total`, help, value, { rule });
  add('received', 'Messages received from AWS.', counted.received);
  add('published', 'Messages stored by JetStream.', counted.published);
  add('duplicates', 'Of these, known before.', counted.duplicates);
  add('refused', 'Messages from AWS put aside.', counted.refused);
}

function addSources(page: Page, bridge: Bridge): void {
  for (const { state } of bridge.intakes) {
    const source = { source: state.name };
    page.add('gauge', 'bridge_source_open', 'Messages in hand.', state.open, source);
    page.add(
      'gauge',
      'bridge_source_pending',
      'Messages in the stream not delivered yet.',
      state.pending,
      source,
    );
    page.add(
      'gauge',
      'bridge_source_oldest_ms',
      'Age of the oldest message in hand.',
      state.oldestMs,
      source,
    );
    page.add(
      'counter',
      'bridge_source_redelivered_total',
      'Deliveries beyond the first.',
      state.redelivered,
      source,
    );
    page.add(
      'counter',
      'bridge_source_dropped_total',
      'Core NATS messages lost to a full buffer.',
      state.dropped,
      source,
    );
    page.add(
      'gauge',
      'bridge_source_holding',
      'Whether messages are held back.',
      state.holding === null ? 0 : 1,
      source,
    );
  }
}

function addTarget(page: Page, target: string, counted: TargetMetrics): void {
  const labels = { target };
  page.add('counter', 'bridge_delivered_total', 'Entries the target took.', counted.delivered, labels);
  page.add(
    'counter',
    'bridge_delivered_bytes_total',
    'Bytes of these, as the API counts.',
    counted.bytes,
    labels,
  );
  page.add('counter', 'bridge_requests_total', 'Requests sent.', counted.requests, labels);
  page.add('counter', 'bridge_retried_total', 'Entries sent again.', counted.retried, labels);
  page.add(
    'counter',
    'bridge_throttled_total',
    'Entries or requests refused to slow us down.',
    counted.throttled,
    labels,
  );
  page.add('counter', 'bridge_refused_total', 'Entries refused for good.', counted.refused, labels);
  for (const [code, times] of counted.failures) {
    page.add('counter', 'bridge_failures_total', 'Failures by the error code of the API.', times, {
      target,
      code,
    });
  }
  page.histogram('bridge_batch_entries', 'Entries per request.', counted.fill, labels);
  page.histogram('bridge_request_ms', 'From a request to its answer.', counted.requestMs, labels);
  page.histogram('bridge_added_ms', "From a message's arrival to its delivery.", counted.addedMs, labels);
}

function addDispatchers(page: Page, bridge: Bridge): void {
  for (const dispatcher of bridge.carrier.dispatchers) {
    const target = { target: dispatcher.spec.key };
    const { underWay, waiting, ratePerSec } = dispatcher.load;
    page.add('gauge', 'bridge_target_under_way', 'Requests under way.', underWay, target);
    page.add('gauge', 'bridge_target_waiting', 'Entries waiting for a request.', waiting, target);
    page.add('gauge', 'bridge_target_rate_limit', 'Requests per second allowed now.', ratePerSec, target);
    const open = dispatcher.circuitReason === null ? 0 : 1;
    page.add('gauge', 'bridge_target_circuit_open', 'Whether the target refuses us.', open, target);
  }
}
