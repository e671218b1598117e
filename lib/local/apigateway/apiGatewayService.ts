/**
 * API Gateway's REST APIs on one machine: deployments are snapshots, stages serve them with their variables
 * and canaries, and calls go to real HTTP backends or functions.
 */
import * as sdk from '@aws-sdk/client-api-gateway';
import type { Clock } from '../../asl/clock.ts';
import type { MetricPoint } from '../cloudwatch/metricStore.ts';
import { seededRandom } from '../random.ts';
import type { LocalService } from '../service.ts';
import { ApiMetrics } from './apiMetrics.ts';
import { apiOperations } from './apiOperations.ts';
import { ApiState } from './apiState.ts';
import { executeServer, listen } from './executeServer.ts';
import type { InvokeFunction } from './lambdaProxy.ts';
import { stageOperations } from './stageOperations.ts';

export type ApiGatewayDeps = {
  readonly clock: Clock;
  readonly putMetric: (point: MetricPoint) => void;
  /** Runs the function of an AWS_PROXY integration. */
  readonly invoke?: InvokeFunction;
  /** Decides between stage and canary. */
  readonly seed?: number;
  /** 60 on AWS. */
  readonly metricPeriodSeconds?: number;
  /** Where deployed APIs are called; 0, the default, takes any free port. */
  readonly executePort?: number;
};

export type ApiGateway = LocalService & {
  /** Where a stage is called, without a final slash. Opens the port when it is not open yet. */
  urlOf(restApiId: string, stageName: string): Promise<string>;
};

export function apiGatewayService(deps: ApiGatewayDeps): ApiGateway {
  const { clock, putMetric, seed = 1, metricPeriodSeconds = 60, executePort = 0 } = deps;
  const state = new ApiState();
  const metrics = new ApiMetrics(clock, metricPeriodSeconds, putMetric);
  const noFunctions: InvokeFunction = (arn) => Promise.reject(new Error(`nothing here runs ${arn}`));
  const server = executeServer({
    state,
    metrics,
    random: seededRandom(seed),
    invoke: deps.invoke ?? noFunctions,
  });
  let opened: Promise<number> | null = null;
  return {
    scope: 'apigateway',
    sdk,
    operations: { ...apiOperations(state, clock), ...stageOperations(state, clock) },
    async urlOf(restApiId, stageName) {
      opened ??= listen(server, executePort);
      return `http://127.0.0.1:${await opened}/${restApiId}/${stageName}`;
    },
    async close() {
      metrics.close();
      if (!opened) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
