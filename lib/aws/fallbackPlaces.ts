/** Places to fall back to, as they are read. */
import { TargetMissing } from '../core/outage.ts';
import type { FallbackPlaces } from '../ports.ts';
import { albPlace } from './places/alb.ts';
import { apiStagePlace } from './places/apiStage.ts';
import { dnsPlace } from './places/dns.ts';
import { ecsAlbPlace } from './places/ecsAlb.ts';
import type { FallbackClients } from './targets.ts';

/** The clients must be hurried ones: whoever asks does not wait. */
export const awsFallbackPlaces = ({ balancer, apiGateway, route53 }: FallbackClients): FallbackPlaces => ({
  async settings(target) {
    switch (target.kind) {
      case 'api-stage':
        return apiStagePlace(apiGateway, target);
      case 'dns':
        return dnsPlace(route53, target);
      case 'alb':
        return albPlace(balancer, target);
      case 'ecs-alb':
        return ecsAlbPlace(balancer, target);
      default:
        throw new TargetMissing(`no adapter reads places of kind ${target.kind}`);
    }
  },
});
