/** The configuration this bundle was built with: validated then, so it is trusted here. */
import { configuration } from 'virtual:switchback-config';
import type { Configuration } from '../lib/core/config/configuration.ts';

export const { services } = configuration as Configuration;
