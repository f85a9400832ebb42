"""Rosbag2 recordings: heard again, written from recording folders, and stripped of what shows people.

Bags are read and written by `rosbags`, in mcap and sqlite3, without ROS (extra `bags`).

=================  ==================================================================================================
`messages`         the messages that bags hold, and the topics that this project's own bags use
`reading`          a bag's topics by what they hold, and its messages in order
`formats`          how samples come in audio messages, and their numbers where messages have none
`audio`            audio messages of two kinds as blocks on a sample clock
`transforms`       where the camera is and how the array moves, from tf and odometry
`pictures`         which camera took a bag's pictures, and what they show
`companions`       what was played and seen while something was heard
`streams`          a bag as what the pipeline takes: sound, playback, pictures and motion of the same time
`replay`           a stream through the pipeline
`results`          what the robot heard while a bag was recorded
`writing`          a recording folder becomes a bag
`privacy`          a bag without what people sound and look like
=================  ==================================================================================================
"""
