import type { BridgeMessage } from './message.ts';
import { tokensOf } from './subject.ts';

/** A message made of plain values: what `explain` shows and what replays use. */
export type Sample = {
  readonly subject: string;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly stream?: string;
  readonly sequence?: number;
  readonly timestampMs?: number;
};

export function sampleMessage(sample: Sample): BridgeMessage {
  const { subject, text = '{}', headers = {}, stream = '', sequence = 0, timestampMs = 0 } = sample;
  const bytes = new TextEncoder().encode(text);
  return {
    subject,
    token: (position) => tokensOf(subject)[position] ?? '',
    stream,
    sequence,
    timestampMs,
    size: bytes.length,
    header: (name) => Object.entries(headers).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1],
    headers: () => Object.entries(headers).map(([name, value]) => [name, [value]] as const),
    text: () => text,
    json: () => parsed(text),
    base64: () => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
