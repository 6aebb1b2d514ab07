/** The API's description as pages to read and try. Signed in to the desk, requests go as that session. */

/** What changing requests of the session repeat; none where there is no session. */
async function csrfToken() {
  const response = await fetch('/api/v1/session');
  return response.ok ? (await response.json()).data.csrf_token : undefined;
}

window.SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#explorer',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: 'none',
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  requestInterceptor: async (request) => {
    if (request.method && request.method !== 'GET') {
      const token = await csrfToken();
      if (token) request.headers['x-csrf-token'] = token;
    }
    return request;
  },
});
