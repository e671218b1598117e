/** Rollout requests on the event bus, in the form everybody sends them. */
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { WorldUnavailable } from '../core/outage.ts';
import type { Requests } from '../ports.ts';
import { answered } from './answered.ts';

export function eventBridgeRequests(client: EventBridgeClient, busName: string): Requests {
  return {
    async send(request) {
      const command = new PutEventsCommand({
        Entries: [
          {
            EventBusName: busName,
            Source: 'switchback.request',
            DetailType: 'Switchback Rollout Requested',
            Detail: JSON.stringify(request),
          },
        ],
      });
      const { FailedEntryCount = 0, Entries = [] } = await answered('PutEvents', client.send(command));
      if (FailedEntryCount > 0) {
        throw new WorldUnavailable(`PutEvents: ${Entries[0]?.ErrorCode}: ${Entries[0]?.ErrorMessage}`);
      }
    },
  };
}
