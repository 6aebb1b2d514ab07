/** Levels of live positions: prices at which their rules fire. */

import type { z } from 'zod';

import type { zStandingLevel } from '../api/generated/zod.gen';

export type LiveLevel = z.infer<typeof zStandingLevel>;
