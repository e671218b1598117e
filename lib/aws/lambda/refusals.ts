/**
 * Whoever asked over the bus hears there why nothing came of it. A request that could not be heard at all (an
 * outage) is no refusal: Lambda tries it again.
 */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { MiddlewareObj } from '@middy/core';
import {
  type Asked,
  outwardSource,
  type RefusedRequest,
  refusedDetailType,
} from '../../../events/outward.ts';
import { BadInput } from '../../core/outage.ts';
import type { Log } from '../../ports.ts';
import { putEvent } from '../putEvent.ts';

type Told = Pick<RefusedRequest, 'reason' | 'sentence'>;

/** Telling is the last thing done, and its failure changes nothing: the refusal stands in the log. */
export function tellRefusals(
  client: EventBridgeClient,
  EventBusName: string,
  asked: Asked,
  log: Log,
): MiddlewareObj<unknown, unknown, Error> {
  const tell = async (event: unknown, { reason, sentence }: Told) => {
    const requestId = idOf(event);
    if (requestId === null) return;
    const refused: RefusedRequest = { requestId, asked, reason, sentence };
    const entry = { EventBusName, Source: outwardSource, DetailType: refusedDetailType };
    try {
      await putEvent(client, { ...entry, Detail: JSON.stringify(refused) });
    } catch (error) {
      log.write({ message: 'refusal not told', correlationId: requestId, error: String(error) });
    }
  };
  return {
    after: async ({ event, response }) => {
      if (isRefusal(response)) await tell(event, response);
    },
    onError: async ({ event, error }) => {
      if (error instanceof BadInput) await tell(event, { reason: 'bad-input', sentence: error.message });
    },
  };
}

/** The event's own id, before or after it was parsed. */
function idOf(event: unknown): string | null {
  const { eventId, id } = (event ?? {}) as { readonly eventId?: unknown; readonly id?: unknown };
  const found = eventId ?? id;
  return typeof found === 'string' ? found : null;
}

const isRefusal = (response: unknown): response is Told =>
  (response as { readonly outcome?: unknown } | null)?.outcome === 'refused';
