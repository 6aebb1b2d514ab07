/** Verdicts on candidates. Their table is not followed; each comes with a change of its candidate. */

import { zVerdict } from '../api/generated/zod.gen';
import { usePages } from '../api/hooks';

export function useVerdicts() {
  return usePages('/api/v1/reentry/history?limit=100', zVerdict, {
    tables: ['trade.reentry_candidates', 'trade.exit_events', 'trade.order_events'],
  });
}
