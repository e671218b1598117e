/**
 * One range query over Prometheus's HTTP API: plain, with a bearer token, or signed for Amazon Managed
 * Prometheus. Source: Prometheus, "HTTP API", Range queries; AMP user guide, "Prometheus-compatible APIs".
 */
import { TargetMissing, WorldUnavailable } from '../../core/outage.ts';
import type { Environment } from '../lean/credentials.ts';
import { bearerToken } from './bearerToken.ts';
import { signedHeaders } from './signedPost.ts';

export type PrometheusPlace = {
  readonly url: string;
  readonly region?: string | undefined;
  readonly bearerTokenParameter?: string | undefined;
  readonly environment: Environment;
};

/** Steps in one range: `fromMs`, `fromMs + stepMs`, … up to and with `toMs`. */
export type Steps = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number };

export type Found = {
  readonly labels: Readonly<Record<string, string>>;
  /** By the time of the step, epoch milliseconds; no data, no entry. */
  readonly values: ReadonlyMap<number, number>;
};

/** Prometheus answers at most 11,000 steps a query. */
const stepsMax = 10_000;
/** A look is repeated a minute later, and an alarm may wait for it; a day's history is asked for once. */
const timeoutMsOf = ({ fromMs, toMs, stepMs }: Steps): number =>
  (toMs - fromMs) / stepMs > 400 ? 15_000 : 5000;

/** @throws TargetMissing when the query or the right to ask is wrong, WorldUnavailable for everything else */
export async function queryRange(
  place: PrometheusPlace,
  query: string,
  { fromMs, toMs, stepMs }: Steps,
): Promise<readonly Found[]> {
  const found = new Map<string, { labels: Found['labels']; values: Map<number, number> }>();
  for (let startMs = fromMs; startMs <= toMs; startMs += stepsMax * stepMs) {
    const endMs = Math.min(toMs, startMs + (stepsMax - 1) * stepMs);
    for (const { metric, values } of await ask(place, query, { fromMs: startMs, toMs: endMs, stepMs })) {
      const key = JSON.stringify(Object.entries(metric).sort());
      const kept = found.get(key) ?? { labels: metric, values: new Map<number, number>() };
      for (const [seconds, text] of values) {
        const value = Number(text);
        if (Number.isFinite(value)) kept.values.set(Math.round(seconds * 1000), value);
      }
      found.set(key, kept);
    }
  }
  return [...found.values()];
}

type Matrix = readonly {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [seconds: number, value: string])[];
}[];

async function ask(place: PrometheusPlace, query: string, steps: Steps): Promise<Matrix> {
  const body = new URLSearchParams({
    query,
    start: String(steps.fromMs / 1000),
    end: String(steps.toMs / 1000),
    step: String(steps.stepMs / 1000),
    timeout: `${timeoutMsOf(steps) / 1000}s`,
  }).toString();
  const url = new URL(`${place.url.replace(/\/$/, '')}/api/v1/query_range`);
  const what = `Prometheus at ${url.host}`;
  const answer = await send(place, { url, body, timeoutMs: timeoutMsOf(steps) }, what);
  const text = await answer.text().catch(() => '');
  if (answer.ok) return matrixIn(text, what);
  const said = `${what} answered ${answer.status}: ${reasonIn(text)}`;
  // 400 and 422 blame the query, 401, 403 and 404 the address or the right: another try changes nothing.
  if ([400, 401, 403, 404, 422].includes(answer.status)) throw new TargetMissing(`${said} (${query})`);
  throw new WorldUnavailable(said);
}

type Question = { readonly url: URL; readonly body: string; readonly timeoutMs: number };

async function send(
  place: PrometheusPlace,
  { url, body, timeoutMs }: Question,
  what: string,
): Promise<Response> {
  const { region, bearerTokenParameter, environment } = place;
  const plain = { 'content-type': 'application/x-www-form-urlencoded' };
  const nowMs = Date.now();
  const token =
    bearerTokenParameter === undefined ? null : await bearerToken(bearerTokenParameter, environment, nowMs);
  try {
    const headers =
      region === undefined
        ? { ...plain, ...(token === null ? {} : { authorization: `Bearer ${token}` }) }
        : await signedHeaders({ url, body, headers: plain }, { region, service: 'aps' }, environment, nowMs);
    const signal = AbortSignal.timeout(timeoutMs);
    return await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
  } catch (cause) {
    const { message, cause: inner } = cause as Error;
    const why = inner instanceof Error ? `${message}: ${inner.message}` : message;
    throw new WorldUnavailable(`${what} cannot be asked: ${why}`, { cause });
  }
}

function matrixIn(text: string, what: string): Matrix {
  try {
    const { status, data } = JSON.parse(text) as {
      status?: string;
      data?: { resultType?: string; result?: Matrix };
    };
    if (status === 'success' && data?.resultType === 'matrix' && Array.isArray(data.result))
      return data.result;
  } catch (cause) {
    throw new WorldUnavailable(`${what} answered no JSON`, { cause });
  }
  throw new WorldUnavailable(`${what} answered no range of values`);
}

/** The API's own sentence where there is one. */
function reasonIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // A proxy's page, say: its first words have to do.
  }
  return text.slice(0, 200);
}
