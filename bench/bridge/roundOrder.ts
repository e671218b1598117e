/** What a contender is told, and what it answers. */

export type RoundOrder = {
  readonly contender: string;
  readonly nats: string;
  readonly endpoint: string;
  readonly ca: string | null;
  readonly stream: string;
  readonly count: number;
  readonly inFlight: number;
  /** `latency`: messages published per second. */
  readonly ratePerSec?: number | undefined;
};
export type RoundResult = {
  readonly seconds: number;
  readonly cpuMicros: number;
  /** Sorted latencies in ms, if the contender measures them. */
  readonly latencies?: readonly number[];
};
