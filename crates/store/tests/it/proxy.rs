//! Stands between a program and a server, and does to their bytes what networks and broken machines do.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{oneshot, watch},
};

/// What happens on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Everything arrives.
    Fair,
    /// Every connection ends, and none comes about.
    Down,
    /// Connections are taken, and nothing is passed on.
    Silent,
    /// Each piece of an answer comes so much later.
    Late(Duration),
    /// A connection ends when it has brought so many bytes of answers.
    Cut(usize),
    /// One of so many bytes of answers arrives changed, counted over all connections.
    WrongAnswers(usize),
    /// The same of requests.
    WrongRequests(usize),
}

/// On a port of its own. It ends with the value.
pub struct Proxy {
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    _end: oneshot::Sender<()>,
}

impl Proxy {
    /// In front of this server, in fair weather.
    pub fn to(server: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, forecast) = watch::channel(Weather::Fair);
        let (_end, ended) = oneshot::channel::<()>();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! { () = pass_on(listener, server, forecast) => {}, _ = ended => {} }
            });
        });
        Self { address, weather, _end }
    }

    /// From now on, also on connections that are there.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Request,
    Answer,
}

async fn pass_on(listener: TcpListener, server: SocketAddr, forecast: watch::Receiver<Weather>) {
    let (requests, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    while let Ok((client, _)) = listener.accept().await {
        let (mut forecast, requests, answers) =
            (forecast.clone(), Arc::clone(&requests), Arc::clone(&answers));
        tokio::spawn(async move {
            if *forecast.borrow() == Weather::Down {
                return;
            }
            let Ok(server) = TcpStream::connect(server).await else { return };
            for stream in [&client, &server] {
                let _ = stream.set_nodelay(true);
            }
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            let there = copy(from_client, to_server, Way::Request, forecast.clone(), &requests);
            let back = copy(from_server, to_client, Way::Answer, forecast.clone(), &answers);
            let until_down = async {
                let _ = forecast.wait_for(|weather| *weather == Weather::Down).await;
            };
            tokio::select! { () = until_down => {}, () = there => {}, () = back => {} }
        });
    }
}

/// Until one side ends or the weather ends it.
async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: Way,
    mut forecast: watch::Receiver<Weather>,
    passed_by_all: &AtomicUsize,
) {
    let (mut buffer, mut passed) = (vec![0; 32 << 10], 0);
    loop {
        let mut length = match from.read(&mut buffer).await {
            Ok(length @ 1..) => length,
            _ => return,
        };
        let Ok(weather) =
            forecast.wait_for(|weather| *weather != Weather::Silent).await.map(|weather| *weather)
        else {
            return;
        };
        let before = passed_by_all.fetch_add(length, Ordering::SeqCst);
        let mut is_last = false;
        match (weather, way) {
            (Weather::Late(delay), Way::Answer) => tokio::time::sleep(delay).await,
            (Weather::Cut(most), Way::Answer) => {
                is_last = passed + length >= most;
                length = length.min(most.saturating_sub(passed));
            }
            (Weather::WrongAnswers(every), Way::Answer) | (Weather::WrongRequests(every), Way::Request) => {
                let wrong = (0..length).filter(|at| (before + at + 1).is_multiple_of(every));
                wrong.for_each(|at| buffer[at] ^= 1);
            }
            _ => {}
        }
        if to.write_all(&buffer[..length]).await.is_err() || is_last {
            return;
        }
        passed += length;
    }
}
