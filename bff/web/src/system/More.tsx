import type { Pages } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import css from './system.module.css';

const TEXT = texts({ older: 'Show older' }, { older: '이전 기록 보기' });

/** Below a list: the way to its older rows. */
export function More<T>({ list }: { list: Pages<T> }) {
  const text = useText(TEXT);
  if (!list.hasMore) return null;
  return (
    <p className={css.more}>
      <Button size="small" isBusy={list.isLoadingMore} onClick={list.more}>
        {text.older}
      </Button>
    </p>
  );
}
