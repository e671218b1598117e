/**
 * Who a request came from. `requestedBy` and `by` are what the request says of itself. EventBridge vouches
 * for the account, and the bus's policy for the source (lib/apps/deploy/eventBus.ts); it does not tell which
 * principal put the event. CloudTrail does, where data events of the bus are switched on.
 */

type Sent = { readonly source: string; readonly account?: string | undefined };

/** As it is recorded with every event that follows: `ada, as ci.pipeline of 123456789012`. */
export function actorOf(person: string, { source, account }: Sent): string {
  const sender = `${source.slice(0, 64)} of ${account ?? 'no account'}`;
  return person === source ? sender : `${person}, as ${sender}`;
}
