/** Amazon Resource Names: `arn:aws:<service>:<region>:<account>:<resource>`. */
import type { Place } from './cloudEvent.ts';

export type Arn = Place & { readonly service: string; readonly resource: string };

/** The parts of an ARN; null when the text is none. */
export function parseArn(text: string): Arn | null {
  const [prefix, , service, region, account, ...resource] = text.split(':');
  if (prefix !== 'arn' || service === undefined || resource.length === 0) return null;
  return { service, region: region ?? '', account: account ?? '', resource: resource.join(':') };
}

export const formatArn = (service: string, { region, account }: Place, resource: string): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`;
