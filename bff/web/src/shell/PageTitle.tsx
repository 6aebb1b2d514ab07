import { usePathname } from 'next/navigation';

import { useText } from '../text/text';
import { NAV_TEXT, PAGES } from './nav';
import { isAt } from './Shell';

/** The name of the page in the browser's tab. */
export function PageTitle() {
  const names = useText(NAV_TEXT);
  const path = usePathname();
  const page = PAGES.find(({ href }) => isAt(path, href));
  const name = path.startsWith('/position') ? names.position : page === undefined ? null : names[page.id];
  return <title>{name === null ? 'Turnstile' : `${name} · Turnstile`}</title>;
}
