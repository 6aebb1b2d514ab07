//! Backend for the frontend: HTTP, WebSocket, OpenAPI and the web app's files.
