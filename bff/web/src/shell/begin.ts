/** What happens before the page is painted. */

/** Under which the browser keeps the preferences. */
export const KEY = 'turnstile.preferences';

/** A script that reads the preferences and marks the document, before the page is painted. */
export const BEGIN_SCRIPT = `(function(){var p={};try{p=JSON.parse(localStorage.getItem('${KEY}'))||{}}catch(e){}
var d=document.documentElement;
d.lang=p.language||((navigator.language||'').indexOf('ko')===0?'ko':'en');
d.dataset.theme=p.theme||(matchMedia('(prefers-color-scheme: light)').matches?'light':'dark');
d.dataset.colours=p.colours||'korean';})()`;
