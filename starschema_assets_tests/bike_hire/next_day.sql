-- One bike gets dearer, and is hired again.
update bikes set hourly_price = 3.10 where maker = 'Gazelle' and frame_no = 1;
insert into hires values (5000000001, 'Gazelle', 1, 'HBF1', '2026-01-06', 2.000, 15.5);
