// SPDX-License-Identifier: Apache-2.0
//! The places where clients come in.

use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, UnixListener};

use crate::connection::Stream;

const BACKLOG: i32 = 1024;

pub enum Listener {
    Tcp(TcpListener),
    /// Its file goes with it.
    Unix(UnixListener, PathBuf),
}

impl Listener {
    pub async fn accept(&self) -> std::io::Result<Stream> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let alive = TcpKeepalive::new().with_time(Duration::from_secs(60));
                socket2::SockRef::from(&stream).set_tcp_keepalive(&alive)?;
                Ok(Stream::Tcp(stream))
            }
            Listener::Unix(listener, _) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }

    pub fn port(&self) -> u16 {
        match self {
            Listener::Tcp(listener) => listener.local_addr().map_or(0, |address| address.port()),
            Listener::Unix(..) => 0,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Listener::Unix(_, path) = self {
            let _ = std::fs::remove_file(path); // somebody may have done it
        }
    }
}

/// All of them, or why one cannot be had. Port 0 is chosen once for all. Needs a running runtime.
pub fn listen(hosts: &[String], port: u16) -> Result<Vec<Listener>, String> {
    let mut listeners = Vec::new();
    let mut port = port;
    for host in hosts {
        if host.ends_with(".sock") {
            listeners.push(listen_unix(Path::new(host))?);
            continue;
        }
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let addresses = (name, port).to_socket_addrs().map_err(|error| format!("{host}: no such address: {error}"))?;
        let Some(address) = addresses.into_iter().next() else { return Err(format!("{host}: no such address")) };
        let listener = listen_tcp(address).map_err(|error| format!("{address}: cannot be listened at: {error}"))?;
        port = listener.port();
        listeners.push(listener);
    }
    Ok(listeners)
}

fn listen_tcp(address: SocketAddr) -> std::io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?; // so that 0.0.0.0 can be had as well
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(Listener::Tcp(TcpListener::from_std(socket.into())?))
}

fn listen_unix(path: &Path) -> Result<Listener, String> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        let _ = std::fs::remove_file(path); // left behind; if it stays, bind says so
    }
    let listener =
        UnixListener::bind(path).map_err(|error| format!("{}: cannot be listened at: {error}", path.display()))?;
    Ok(Listener::Unix(listener, path.to_path_buf()))
}
