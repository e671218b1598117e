/**
 * The edge of a function as it is usually written: powertools' logger and metrics as middy's middleware, the
 * event checked by zod as it comes. It has the exports of lib/aws/lambda/edge.ts and stands in its place in
 * the bundles that ours are compared with; only their bytes and their load time are measured.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import type { MiddlewareObj } from '@middy/core';
import { z } from 'zod';
import type { Parsed } from '../../events/parsed.ts';
import { BadInput } from '../../lib/core/outage.ts';
import type { Log } from '../../lib/ports.ts';

export { pause, systemClock } from '../../lib/aws/lambda/edge.ts';

const logger = new Logger({ serviceName: 'switchback' });
const metrics = new Metrics({ namespace: 'switchback', serviceName: 'switchback' });
const middleware = [injectLambdaContext(logger), logMetrics(metrics)];

export const jsonLog = (functionName: string): Log => ({
  write: (line) => logger.info(line.message, { ...line, function: functionName }),
});

const Payload = z.looseObject({});

export const edge = <T>(
  parse: (event: unknown) => Parsed<T>,
  _log: Log,
): readonly MiddlewareObj<unknown, unknown, Error>[] => [
  ...middleware,
  {
    before: (request) => {
      const read = parse(Payload.parse(request.event));
      if (!read.ok) throw new BadInput(read.sentence);
      request.event = read.value;
    },
  },
];
