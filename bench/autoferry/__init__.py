"""Real radar, lidar and camera detections of boats: is a fusion of all worth more than a part?"""
