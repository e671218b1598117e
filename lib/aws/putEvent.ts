/** One entry on an event bus; a refusal inside a successful answer is an outage as well. */
import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import { WorldUnavailable } from '../core/outage.ts';
import { answered } from './answered.ts';

/** @throws WorldUnavailable when the bus did not take it */
export async function putEvent(client: EventBridgeClient, entry: PutEventsRequestEntry): Promise<void> {
  const command = new PutEventsCommand({ Entries: [entry] });
  const { FailedEntryCount = 0, Entries = [] } = await answered('PutEvents', client.send(command));
  if (FailedEntryCount > 0) {
    throw new WorldUnavailable(`PutEvents: ${Entries[0]?.ErrorCode}: ${Entries[0]?.ErrorMessage}`);
  }
}
